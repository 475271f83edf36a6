//! Tokens for our own paths: one with which everything can be done there, one with which everything can be read.

use crate::clock::Ids;
use crate::domain::digest::sha256;
use crate::domain::secret::Secret;
use crate::domain::text::hex;
use crate::private_files;
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The cookie that browsers get for a token.
const COOKIE: &str = "contrail_console";

/// The file in the data folder that holds the token with which everything can be done, unless the environment has it.
pub const ADMIN_TOKEN_FILE: &str = "admin.token";

/// The environment variable that has it.
pub const ADMIN_TOKEN_VARIABLE: &str = "CONTRAIL_ADMIN_TOKEN";

/// The file that holds the token with which everything can be read, unless the environment has it.
pub const READ_TOKEN_FILE: &str = "read.token";

/// The environment variable that has it.
pub const READ_TOKEN_VARIABLE: &str = "CONTRAIL_READ_TOKEN";

/// The shortest token that is taken. Those that are made here have 64 characters.
const MIN_LENGTH: usize = 16;

/// Why there are no tokens: one line for the person who started the server.
#[derive(Debug, thiserror::Error)]
pub enum UnusableToken {
    /// Of a file.
    #[error("cannot use the token in {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Of the environment, or a file that a person has written.
    #[error("the token in {0} is shorter than {MIN_LENGTH} characters, and could be guessed")]
    Short(String),
    /// The token with which everything can be read would do everything.
    #[error("the two tokens are the same")]
    Same,
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Reading.
    Read,
    /// Everything.
    Admin,
}

impl Role {
    /// What a request with this method needs.
    fn needed_for(method: &Method) -> Role {
        if matches!(*method, Method::GET | Method::HEAD) { Role::Read } else { Role::Admin }
    }
}

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Over plain HTTP.
    Plain,
    /// Over TLS.
    Encrypted,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It has no token, or none of ours.
    Unknown,
    /// Its token is good for reading only.
    ReadOnly,
}

/// The tokens of a server.
#[derive(Debug, Clone)]
pub struct Tokens {
    admin: Secret,
    read: Secret,
    /// What the cookie holds: nothing that could be used as a token. It is good for reading.
    cookie: Secret,
}

impl Tokens {
    /// Takes them from the environment, else from files in the data folder, which are made if need be.
    ///
    /// # Errors
    /// A file cannot be read or made, or is empty.
    pub fn open(folder: &Path, ids: &Ids) -> Result<Tokens, UnusableToken> {
        let token = |variable: &str, file: &str| {
            let (token, place) = match from_environment(variable) {
                Some(token) => (token, variable.to_owned()),
                None => {
                    let path = folder.join(file);
                    let place = path.display().to_string();
                    (from_file(&path, ids).map_err(|cause| UnusableToken::File { path, cause })?, place)
                }
            };
            match token.reveal().len() {
                0..MIN_LENGTH => Err(UnusableToken::Short(place)),
                _ => Ok(token),
            }
        };
        let (admin, read) =
            (token(ADMIN_TOKEN_VARIABLE, ADMIN_TOKEN_FILE)?, token(READ_TOKEN_VARIABLE, READ_TOKEN_FILE)?);
        if admin.is(read.reveal()) {
            return Err(UnusableToken::Same);
        }
        let cookie = cookie_of(&read);
        Ok(Tokens { admin, read, cookie })
    }

    /// What a token is good for.
    pub(crate) fn role(&self, token: &str) -> Option<Role> {
        // Both are compared whatever comes of the first.
        match (self.admin.is(token), self.read.is(token)) {
            (true, _) => Some(Role::Admin),
            (false, true) => Some(Role::Read),
            (false, false) => None,
        }
    }

    /// Whether a request brings what its method needs.
    pub(super) fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refused> {
        let text = |name: &str| headers.get_all(name).filter_map(|value| value.to_str().ok());
        let bearer = text("authorization").find_map(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let cookies =
            text("cookie").flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let has_cookie = || {
            let mut ours = cookies.filter(|(name, _)| *name == COOKIE);
            ours.any(|(_, value)| self.cookie.is(value))
        };
        let role = bearer.and_then(|token| self.role(token)).or_else(|| has_cookie().then_some(Role::Read));
        match role {
            None => Err(Refused::Unknown),
            Some(role) if role < Role::needed_for(method) => Err(Refused::ReadOnly),
            Some(_) => Ok(()),
        }
    }

    /// The `Set-Cookie` header for a browser that has shown a token: no page of another site makes it send that, no script
    /// reads it, and what came over TLS goes over TLS.
    pub(crate) fn set_cookie(&self, path: &str, transport: Transport) -> String {
        let secure = if transport == Transport::Encrypted { "; Secure" } else { "" };
        format!("{COOKIE}={}; Path={path}; HttpOnly; SameSite=Strict{secure}", self.cookie.reveal())
    }
}

/// The cookie of browsers that have shown a token: another one as soon as the token for reading is another one.
fn cookie_of(token: &Secret) -> Secret {
    Secret::from(sha256(format!("contrail console {}", token.reveal()).as_bytes()))
}

/// A token in an environment variable.
pub(crate) fn from_environment(variable: &str) -> Option<Secret> {
    std::env::var(variable).ok().and_then(|value| Secret::new(&value))
}

/// The token in a file, which is made if it is not there.
fn from_file(path: &Path, ids: &Ids) -> std::io::Result<Secret> {
    match private_files::options().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            writeln!(file, "{}", hex(&ids.secret()))?;
            file.sync_all()?;
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let text = std::fs::read_to_string(path)?;
    Secret::new(&text).ok_or_else(|| std::io::Error::new(ErrorKind::InvalidData, "it is empty"))
}
