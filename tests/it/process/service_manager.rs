//! What a service manager such as systemd is told (`Type=notify`).
#![cfg(unix)]

use super::{Contrail, DEADLINE, contrail};
use std::os::unix::net::UnixDatagram;

#[tokio::test]
async fn a_service_manager_learns_when_calls_are_answered_and_when_no_more_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let told = || {
        let mut message = [0; 200];
        let length = socket.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).trim().to_owned()
    };
    let data = folder.path().join("data");
    let mut command = contrail(&["--port", "0", "--data-dir", data.to_str().unwrap()]);
    command.env("NOTIFY_SOCKET", &path);
    let server = Contrail::spawn(command);
    assert_eq!(told(), "READY=1");
    assert_eq!(server.get("/_contrail/health").await.status, 200);
    server.stop();
    assert_eq!(told(), "STOPPING=1");
}
