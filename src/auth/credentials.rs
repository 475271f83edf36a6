//! The access keys that may be called with, and their secrets: read once, at the start, and kept in memory only.

use crate::config::{AuthMode, IdentitySetting, Settings};
use crate::domain::secret::Secret;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::path::Path;

/// Why the keys cannot be used: one line for the person who started the server. No secret is part of it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UnusableCredentials(String);

/// An access key's secret.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub(super) secret: Secret,
    /// Temporary credentials have one.
    pub(super) session_token: Option<Secret>,
    pub(super) expires: Option<DateTime<Utc>>,
}

/// Secrets by their access keys.
#[derive(Debug)]
pub(super) struct Credentials(HashMap<String, Credential>);

impl Credentials {
    /// Reads what the settings name.
    pub(super) async fn load(settings: &Settings) -> Result<Credentials, UnusableCredentials> {
        let mut found = match &settings.auth.credentials_file {
            Some(path) => of_file(path).await?,
            None => HashMap::new(),
        };
        for identity in &settings.identities {
            let key = &identity.access_key;
            let twice = || {
                UnusableCredentials(format!("identities: {key} has a secret here and in credentials_file"))
            };
            if let Some(credential) = of_identity(identity)? {
                if found.insert(key.clone(), credential).is_some() {
                    return Err(twice());
                }
            } else if let Some(credential) = found.get_mut(key) {
                credential.expires = identity.expires;
            } else if settings.auth.mode == AuthMode::Signed {
                return Err(UnusableCredentials(format!(
                    "identities: {key} has no secret, and auth.mode is \"signed\": name a secret_file or a secret_env"
                )));
            }
        }
        let has_keys = !found.is_empty() || !settings.identities.is_empty();
        if settings.auth.mode != AuthMode::Off && !has_keys {
            let why = "auth.mode: nobody could call, as no access key is named: add [[identities]] or credentials_file";
            return Err(UnusableCredentials(why.to_owned()));
        }
        Ok(Credentials(found))
    }

    /// Whether a key is one of them.
    pub(super) fn has(&self, access_key: &str) -> bool {
        self.0.contains_key(access_key)
    }

    /// The secret of a key.
    pub(super) fn get(&self, access_key: &str) -> Option<&Credential> {
        self.0.get(access_key)
    }
}

/// The secret that an entry of `[[identities]]` names.
fn of_identity(identity: &IdentitySetting) -> Result<Option<Credential>, UnusableCredentials> {
    let key = &identity.access_key;
    let wrong = |why: String| UnusableCredentials(format!("identities: {key}: {why}"));
    let secret = match (&identity.secret_file, &identity.secret_env) {
        (Some(path), _) => secret_in(path).map_err(wrong)?,
        (None, Some(name)) => {
            let value = std::env::var(name).ok().and_then(|value| Secret::new(&value));
            value.ok_or_else(|| wrong(format!("the environment variable {name} holds no secret")))?
        }
        (None, None) => return Ok(None),
    };
    let session_token = identity.session_token_file.as_deref().map(secret_in).transpose().map_err(wrong)?;
    Ok(Some(Credential { secret, session_token, expires: identity.expires }))
}

fn secret_in(path: &Path) -> Result<Secret, String> {
    let text = read(path)?;
    Secret::new(&text).ok_or_else(|| format!("{} is empty", path.display()))
}

/// The text of a file that nobody but its owner should read.
fn read(path: &Path) -> Result<String, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
        if mode & 0o077 != 0 {
            let mode = format!("{:o}", mode & 0o777);
            tracing::warn!(path = %path.display(), mode, "other users can read this file of secrets: chmod 600");
        }
    }
    Ok(text)
}

/// The profiles of a file in the form of `~/.aws/credentials` that hold a key and its secret.
async fn of_file(path: &Path) -> Result<HashMap<String, Credential>, UnusableCredentials> {
    let wrong = |why: String| UnusableCredentials(format!("auth.credentials_file: {why}"));
    let text = read(path).map_err(wrong)?;
    let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Credentials, text).build();
    let nothing = Env::from_slice(&[]);
    // What is wrong with a file is told with its line, which may hold a secret.
    let unreadable = || wrong(format!("{} is not in the form of the AWS CLI's credentials", path.display()));
    let read = source::load(&nothing, &Fs::from_slice(&[]), &files).await.map_err(|_| unreadable())?;
    let sections = EnvConfigSections::parse(read).map_err(|_| unreadable())?;
    let mut found = HashMap::new();
    for name in sections.profiles() {
        let value = |key| sections.get_profile(name).and_then(|profile| profile.get(key));
        let (Some(access_key), Some(secret)) =
            (value("aws_access_key_id"), value("aws_secret_access_key").and_then(Secret::new))
        else {
            return Err(wrong(format!(
                "profile {name:?} needs an aws_access_key_id and an aws_secret_access_key"
            )));
        };
        let session_token = value("aws_session_token").and_then(Secret::new);
        let credential = Credential { secret, session_token, expires: None };
        if found.insert(access_key.to_owned(), credential).is_some() {
            return Err(wrong(format!("{access_key} occurs more than once")));
        }
    }
    Ok(found)
}
