//! A control plane of real processes on this machine.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use towpath_testkit::{Process, binary, free_port};

use crate::Outcome;

const STOP: Duration = Duration::from_secs(30);

/// Ports of one node.
#[derive(Clone, Copy, Debug)]
struct Ports {
    rest: u16,
    grpc: u16,
    peer: u16,
}

pub(crate) struct Nodes {
    ports: Vec<Ports>,
    processes: Vec<Process>,
    _folder: TempDir,
}

impl Nodes {
    pub(crate) fn start(count: usize) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let ports = (0..count)
            .map(|_| {
                Ok(Ports {
                    rest: free_port()?,
                    grpc: free_port()?,
                    peer: free_port()?,
                })
            })
            .collect::<Outcome<Vec<Ports>>>()?;
        let members: Vec<String> = (1..)
            .zip(&ports)
            .map(|(number, Ports { grpc, peer, .. })| format!("{number}=127.0.0.1:{peer}/{grpc}"))
            .collect();
        let members = members.join(",");
        let processes = (1..)
            .zip(&ports)
            .map(|(number, ports)| spawn(folder.path(), number, *ports, &members))
            .collect::<Outcome<Vec<Process>>>()?;
        Ok(Self {
            ports,
            processes,
            _folder: folder,
        })
    }

    /// Where workers and clients connect.
    pub(crate) fn endpoints(&self) -> Vec<String> {
        let ports = self.ports.iter();
        ports
            .map(|ports| format!("http://127.0.0.1:{}", ports.grpc))
            .collect()
    }

    pub(crate) async fn stop(mut self) -> Outcome<()> {
        for process in &mut self.processes {
            process.terminate(STOP).await?;
        }
        Ok(())
    }
}

fn spawn(folder: &Path, number: usize, ports: Ports, members: &str) -> Outcome<Process> {
    let Ports { rest, grpc, peer } = ports;
    let mut command = Command::new(binary("towpath-control-plane")?);
    command
        .arg(format!("--node-id={number}"))
        .arg(format!("--rest-address=127.0.0.1:{rest}"))
        .arg(format!("--grpc-address=127.0.0.1:{grpc}"))
        .arg(format!("--peer-address=127.0.0.1:{peer}"))
        .arg(format!("--initial-members={members}"))
        .arg("--data-dir")
        .arg(folder.join(format!("node-{number}")));
    Ok(Process::spawn(
        command,
        folder.join(format!("node-{number}.log")),
    )?)
}
