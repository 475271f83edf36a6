//! A data folder that cannot be used is refused in one line and left as it is.

use super::{Contrail, Outcome, contrail, database, event_id, ndjson, run};
use std::path::Path;

/// Tries to serve from a data folder that is not to be used; the line that says why.
fn refusal(folder: &Path) -> String {
    let outcome = run(contrail(&["--port", "0", "--data-dir", folder.to_str().unwrap()]));
    one_line(&outcome)
}

/// What a refusal looks like, whatever its reason.
fn one_line(outcome: &Outcome) -> String {
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_eq!(outcome.stdout, "");
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.starts_with("contrail: ") && outcome.stderr.ends_with('\n'), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    outcome.stderr.trim_end().to_owned()
}

/// Serving and importing are both refused, and the database is the same bytes afterwards.
fn is_refused_and_left_alone(folder: &Path, why: &str) {
    let file = folder.join("contrail.db");
    let before = std::fs::read(&file).unwrap();
    let line = refusal(folder);
    assert!(line.contains(why), "{line}");
    assert!(line.contains(file.to_str().unwrap()), "{line} does not name the file");
    assert!(std::fs::read(&file).unwrap() == before, "the file was changed after: {line}");
    let mut command = contrail(&["import", "-", "--data-dir", folder.to_str().unwrap()]);
    command.env("CONTRAIL_LOG_LEVEL", "info");
    let line = one_line(&run(command));
    assert!(line.contains(why), "{line}");
    assert!(std::fs::read(&file).unwrap() == before, "the file was changed by import after: {line}");
}

/// A folder with some events, closed in good order.
async fn a_used_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson(1..=500)).await.json()["accepted"], 500);
    server.stop();
    folder
}

#[test]
fn a_file_that_is_no_database() {
    for bytes in [&b"my shopping list\n"[..], &[0; 5000], &b"SQLite format 2\0".repeat(300)] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("contrail.db"), bytes).unwrap();
        is_refused_and_left_alone(folder.path(), "is not a contrail database");
    }
}

#[tokio::test]
async fn a_database_of_another_program() {
    for journal in ["delete", "wal"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("contrail.db"), "").unwrap();
        let mut db = database(folder.path()).await;
        let sql = format!(
            "PRAGMA journal_mode = {journal}; CREATE TABLE photos (name TEXT); INSERT INTO photos VALUES ('sea')"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
        sqlx::Connection::close(db).await.unwrap();
        is_refused_and_left_alone(folder.path(), "is not a contrail database");
        let mut db = database(folder.path()).await;
        let name: String = sqlx::query_scalar("SELECT name FROM photos").fetch_one(&mut db).await.unwrap();
        assert_eq!(name, "sea");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_contrail() {
    let folder = a_used_folder().await;
    let mut db = database(folder.path()).await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9000, 'from the future', TRUE, x'00', 0)";
    sqlx::raw_sql(newer).execute(&mut db).await.unwrap();
    sqlx::Connection::close(db).await.unwrap();
    is_refused_and_left_alone(folder.path(), "newer contrail (schema 9000)");
    let mut db = database(folder.path()).await;
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&mut db).await.unwrap();
    assert_eq!(events, 500);
}

#[tokio::test]
async fn a_database_with_garbage_behind_its_first_page() {
    let folder = a_used_folder().await;
    let file = folder.path().join("contrail.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let size = bytes.len();
    bytes[8192..].fill(0xA5);
    std::fs::write(&file, &bytes).unwrap();
    is_refused_and_left_alone(folder.path(), "is damaged");
    assert_eq!(std::fs::metadata(&file).unwrap().len(), size as u64);
}

#[tokio::test]
async fn a_database_whose_first_page_is_garbage_behind_the_header() {
    let folder = a_used_folder().await;
    let file = folder.path().join("contrail.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100..8192].fill(0xA5);
    std::fs::write(&file, &bytes).unwrap();
    is_refused_and_left_alone(folder.path(), "is damaged");
}

#[tokio::test]
async fn a_database_that_was_cut_off() {
    let folder = a_used_folder().await;
    let file = folder.path().join("contrail.db");
    let bytes = std::fs::read(&file).unwrap();
    for left in [bytes.len() / 2, 2 * 8192, 8192, 5000, 100, 20] {
        std::fs::write(&file, &bytes[..left]).unwrap();
        let line = refusal(folder.path());
        assert!(line.contains(file.to_str().unwrap()), "{line}");
        assert!(line.contains("is damaged") || line.contains("is not a contrail database"), "{left}: {line}");
        assert!(std::fs::read(&file).unwrap() == bytes[..left], "{left}: the file was changed after: {line}");
    }
}

#[test]
fn a_data_folder_that_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    std::fs::write(&file, "mine").unwrap();
    let line = refusal(&file);
    assert!(line.contains("cannot use the data folder") && line.contains(file.to_str().unwrap()), "{line}");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}

#[test]
fn a_database_that_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("contrail.db");
    std::fs::create_dir(&file).unwrap();
    let line = refusal(folder.path());
    assert!(line.contains(file.to_str().unwrap()), "{line}");
}

#[cfg(unix)]
#[test]
fn a_data_folder_that_nobody_can_make() {
    let line = refusal(Path::new("/dev/null/x"));
    assert!(line.contains("cannot use the data folder /dev/null/x"), "{line}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_data_folder_that_may_only_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = a_used_folder().await;
    let allow =
        |mode| std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    allow(0o555);
    let all_powerful = std::fs::write(folder.path().join("try"), "").is_ok();
    if all_powerful {
        eprintln!("skipped: this user may write everywhere");
    } else {
        std::fs::remove_file(folder.path().join("contrail.lock")).unwrap_err();
        std::fs::set_permissions(folder.path().join("contrail.lock"), std::fs::Permissions::from_mode(0o444))
            .unwrap();
        let line = refusal(folder.path());
        assert!(line.contains("cannot use the data folder"), "{line}");
        assert!(line.contains("chmod u+rwx"), "{line}");
    }
    allow(0o755);
}

/// A folder of root, as containers mount it: the line names the user to chown it to.
#[cfg(unix)]
#[test]
fn a_data_folder_of_another_user() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    // Only root may become another user, who has to be let to the program, too.
    let is_possible = contrail(&["--version"]).uid(NOBODY).current_dir("/").output();
    if !is_possible.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: the program cannot be run as another user");
        return;
    }
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("data");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(above.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = |folder: &Path| {
        let mut command = contrail(&["--port", "0", "--data-dir", folder.to_str().unwrap()]);
        command.uid(NOBODY).current_dir("/");
        one_line(&run(command))
    };
    let line = refused(&folder);
    let path = folder.display();
    let advice =
        format!("it belongs to user 0, and this runs as user {NOBODY}: chown -R {NOBODY} {path}, or");
    assert!(line.contains(&format!("cannot use the data folder {path}")) && line.contains(&advice), "{line}");
    let line = refused(&above.path().join("other"));
    assert!(line.contains(&format!("user {NOBODY}, who runs this, cannot make it there")), "{line}");
}

#[tokio::test]
async fn a_folder_that_another_contrail_uses() {
    let folder = tempfile::tempdir().unwrap();
    let first = Contrail::start(folder.path());
    let line = refusal(folder.path());
    assert!(line.contains("in use by another contrail"), "{line}");
    assert!(line.ends_with(&first.url), "{line} does not end with {}", first.url);
    // The first one has not noticed, and the folder is free when it is gone.
    assert_eq!(first.import(ndjson(1..=2)).await.json()["accepted"], 2);
    first.kill();
    assert_eq!(Contrail::start(folder.path()).event_ids().await.len(), 2);
}

#[tokio::test]
async fn an_empty_file_and_a_folder_that_is_not_there_are_a_new_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");
    Contrail::start(&deep).stop();
    assert!(deep.join("contrail.db").exists());
    std::fs::write(folder.path().join("contrail.db"), "").unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson([1])).await.json()["accepted"], 1);
}

#[tokio::test]
async fn a_folder_of_an_older_contrail_is_brought_up_to_date() {
    let folder = a_used_folder().await;
    // As it was before the views came.
    let mut db = database(folder.path()).await;
    let older =
        "DROP VIEW trail_overview; DROP VIEW event_history; DELETE FROM _sqlx_migrations WHERE version = 4";
    sqlx::raw_sql(older).execute(&mut db).await.unwrap();
    sqlx::Connection::close(db).await.unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.event_ids().await.get(&event_id(500)), Some(&1));
    let mut db = database(folder.path()).await;
    let shown: i64 =
        sqlx::query_scalar("SELECT count(*) FROM event_history").fetch_one(&mut db).await.unwrap();
    assert_eq!(shown, 500);
}

#[tokio::test]
async fn a_folder_that_was_half_made_is_finished() {
    // What a crash leaves behind between the first statement and the migrations.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("contrail.db"), "").unwrap();
    let mut db = database(folder.path()).await;
    sqlx::raw_sql("PRAGMA application_id = 0x4354524C").execute(&mut db).await.unwrap();
    sqlx::Connection::close(db).await.unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson([1])).await.json()["accepted"], 1);
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The modes of what is in a folder, but for what everybody may see.
#[cfg(unix)]
fn modes(folder: &Path) -> Vec<(String, u32)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), mode(&entry.path())));
    named.filter(|(name, _)| name != "tls.crt").collect()
}

#[cfg(unix)]
#[tokio::test]
async fn other_users_of_the_machine_read_nothing_of_a_data_folder() {
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("deep/data");
    let server = Contrail::start(&folder);
    server.import(ndjson(1..=3)).await;
    assert_eq!(mode(&folder), 0o700);
    assert_ne!(mode(&above.path().join("deep")), 0o700, "only what is ours is closed");
    let open: Vec<_> = modes(&folder).into_iter().filter(|(_, mode)| *mode != 0o600).collect();
    assert!(open.is_empty(), "{open:?}");
    let names: Vec<_> = modes(&folder).into_iter().map(|(name, _)| name).collect();
    for name in ["contrail.db", "contrail.db-wal", "contrail.db-shm", "buckets.db", "contrail.lock"] {
        assert!(names.iter().any(|known| known == name), "{name} is none of {names:?}");
    }
    server.stop();
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_from_before_is_closed_and_the_log_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = a_used_folder().await;
    let open_all = || {
        for (name, _) in modes(folder.path()) {
            let open = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(folder.path().join(name), open).unwrap();
        }
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    open_all();
    let log = || {
        let server = Contrail::start_with(folder.path(), &["--log-level", "info"]);
        server.process.signal("TERM");
        server.process.ended().stderr
    };
    assert!(log().contains("other users can no longer read the data folder"));
    assert_eq!(mode(folder.path()), 0o700);
    assert!(modes(folder.path()).iter().all(|(_, mode)| *mode == 0o600), "{:?}", modes(folder.path()));
    assert!(!log().contains("other users"), "once is enough");

    open_all();
    std::fs::write(folder.path().join("main.tf"), "").unwrap();
    log();
    assert_eq!(mode(folder.path()), 0o755, "a folder in which other things stand");
    assert_eq!(mode(&folder.path().join("contrail.db")), 0o600);
}
