//! The binary under test, with a home of its own.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::rest_server::RestServer;

/// What stands for the server's address in compared output.
pub(crate) const CLUSTER: &str = "http://CLUSTER";

pub(crate) struct Kcctl {
    home: tempfile::TempDir,
    cluster: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Kcctl {
    /// Without contexts, and without any cluster.
    pub(crate) fn bare() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            cluster: None,
        }
    }

    pub(crate) fn of(server: &RestServer) -> Self {
        Self::at(&server.url())
    }

    pub(crate) fn at(url: &str) -> Self {
        Self {
            cluster: Some(url.to_owned()),
            ..Self::bare()
        }
    }

    pub(crate) fn home(&self, file: &str) -> PathBuf {
        self.home.path().join(file)
    }

    /// Writes a file beside `.kcctl`; says its path.
    pub(crate) fn write(&self, file: &str, text: &str) -> String {
        let path = self.home(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, "", &[])
    }

    pub(crate) fn run_with(&self, args: &[&str], stdin: &str, env: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kcctl"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .envs(env.iter().copied());
        if let Some(cluster) = &self.cluster {
            command.args(["--cluster", cluster]);
        }
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads nothing may be gone already.
        let _closed = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Output {
            code: output.status.code().expect("kcctl ends by itself"),
            stdout: self.shown(&output.stdout),
            stderr: self.shown(&output.stderr),
        }
    }

    fn shown(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8(bytes.to_vec())
            .unwrap()
            .replace(self.home.path().to_str().unwrap(), "HOME");
        match &self.cluster {
            Some(cluster) => text.replace(cluster.as_str(), CLUSTER),
            None => text,
        }
    }
}

impl Output {
    /// Exit code 0, nothing on standard error, and exactly this on standard output.
    #[track_caller]
    pub(crate) fn succeeds(&self, stdout: &str) {
        assert_eq!(
            self,
            &Self {
                code: 0,
                stdout: stdout.to_owned(),
                stderr: String::new()
            }
        );
    }

    #[track_caller]
    pub(crate) fn fails(&self, code: i32, stderr: &str) {
        assert_eq!(
            self,
            &Self {
                code,
                stdout: String::new(),
                stderr: stderr.to_owned()
            }
        );
    }
}
