//! A network of its own for every process: a namespace each, all on one bridge that this process reaches too. Packets are
//! lost where they arrive (nftables), silently as behind a broken switch, and go out slowly (tc). The kernel's netem, which
//! delays packets, is not asked for: not every kernel has it.
//!
//! The names hold the id of this process, so that what a killed run has left can be found and removed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use tokio::sync::Mutex;

use crate::plan::{Place, places};
use crate::shell::{self, ShellError};

const PREFIX: &str = "towpath";
const BRIDGE: &str = "tpb";
/// Host parts of the addresses: this process has the first.
const OWN: usize = 1;
/// The third bytes that are tried for a network.
const SUBNETS: std::ops::Range<u32> = 0..250;
/// In each namespace: whom it does not hear, and how much else gets lost.
const RULES: &str = "table inet faults {
    set unheard { type ipv4_addr; }
    chain loss { }
    chain arriving { type filter hook input priority 0; iifname lo accept; ip saddr @unheard drop; jump loss; }
}";

/// What can be wrong with the network. A fault that is over late may still be there when the next of its kind begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    Cut { from: Place, to: Place },
    Lossy(Place),
    Slow(Place),
}

/// Dropping it removes everything.
#[derive(Debug)]
pub struct Network {
    owner: u32,
    subnet: u32,
    /// How many faults want it. Locked while it is changed, so that what is counted is what is there.
    wrong: Mutex<BTreeMap<Wrong, usize>>,
}

impl Network {
    /// # Errors
    /// When namespaces or links cannot be made: that takes root.
    pub async fn create() -> Result<Self, ShellError> {
        sweep().await?;
        let owner = std::process::id();
        let network = Self {
            owner,
            subnet: free_subnet(owner).await?,
            wrong: Mutex::default(),
        };
        let bridge = network.bridge();
        shell::run("ip", &["link", "add", &bridge, "type", "bridge"]).await?;
        let own = format!("{}/24", network.address_of(OWN));
        shell::run("ip", &["addr", "add", &own, "dev", &bridge]).await?;
        shell::run("ip", &["link", "set", &bridge, "up"]).await?;
        for place in places() {
            network.add(place).await?;
        }
        Ok(network)
    }

    async fn add(&self, place: Place) -> Result<(), ShellError> {
        let namespace = self.namespace(place);
        let outside = outside_of(self.owner, place);
        let address = format!("{}/24", self.address(place));
        shell::run("ip", &["netns", "add", &namespace]).await?;
        let pair = [
            "link", "add", &outside, "type", "veth", "peer", "name", "eth0", "netns", &namespace,
        ];
        shell::run("ip", &pair).await?;
        shell::run("ip", &["link", "set", &outside, "master", &self.bridge(), "up"]).await?;
        shell::run("ip", &["-n", &namespace, "addr", "add", &address, "dev", "eth0"]).await?;
        for device in ["lo", "eth0"] {
            shell::run("ip", &["-n", &namespace, "link", "set", device, "up"]).await?;
        }
        self.rule(place, RULES).await
    }

    pub fn address(&self, place: Place) -> String {
        self.address_of(host_part(place))
    }

    fn address_of(&self, host: usize) -> String {
        format!("10.213.{}.{host}", self.subnet)
    }

    fn namespace(&self, place: Place) -> String {
        format!("{PREFIX}-{}-{place}", self.owner)
    }

    fn bridge(&self) -> String {
        format!("{BRIDGE}{}", self.owner)
    }

    /// The begin of a command that runs another one there.
    pub fn enter(&self, place: Place) -> Vec<String> {
        let namespace = format!("--net=/run/netns/{}", self.namespace(place));
        vec!["nsenter".to_owned(), namespace, "--".to_owned()]
    }

    /// Nothing of the one reaches the other.
    ///
    /// # Errors
    /// As all that follow: when a command does not succeed.
    pub async fn cut(&self, from: Place, to: Place) -> Result<(), ShellError> {
        let element = format!("add element inet faults unheard {{ {} }}", self.address(from));
        self.begin(Wrong::Cut { from, to }, self.rule(to, &element)).await
    }

    pub async fn join(&self, from: Place, to: Place) -> Result<(), ShellError> {
        let element = format!("delete element inet faults unheard {{ {} }}", self.address(from));
        self.end(Wrong::Cut { from, to }, self.rule(to, &element)).await
    }

    pub async fn lose(&self, place: Place, percent: u32) -> Result<(), ShellError> {
        let rule = format!("add rule inet faults loss numgen random mod 100 < {percent} drop");
        self.begin(Wrong::Lossy(place), self.rule(place, &rule)).await
    }

    pub async fn lose_nothing(&self, place: Place) -> Result<(), ShellError> {
        self.end(
            Wrong::Lossy(place),
            self.rule(place, "flush chain inet faults loss"),
        )
        .await
    }

    pub async fn slow(&self, place: Place, kbit: u32) -> Result<(), ShellError> {
        let rate = format!("{kbit}kbit");
        let bucket = ["tbf", "rate", &rate, "burst", "3000", "latency", "500ms"];
        self.begin(Wrong::Slow(place), self.queue(place, "add", &bucket))
            .await
    }

    pub async fn full_speed(&self, place: Place) -> Result<(), ShellError> {
        self.end(Wrong::Slow(place), self.queue(place, "del", &[])).await
    }

    /// Only the first fault of a kind makes it wrong, as it wants it.
    async fn begin(
        &self,
        wrong: Wrong,
        make: impl Future<Output = Result<(), ShellError>>,
    ) -> Result<(), ShellError> {
        let mut all = self.wrong.lock().await;
        let count = all.entry(wrong).or_default();
        *count += 1;
        if *count == 1 { make.await } else { Ok(()) }
    }

    /// Only with the last fault of a kind it is right again.
    async fn end(
        &self,
        wrong: Wrong,
        mend: impl Future<Output = Result<(), ShellError>>,
    ) -> Result<(), ShellError> {
        let mut all = self.wrong.lock().await;
        let count = all.entry(wrong).or_default();
        *count = count.saturating_sub(1);
        if *count == 0 { mend.await } else { Ok(()) }
    }

    async fn queue(&self, place: Place, verb: &str, bucket: &[&str]) -> Result<(), ShellError> {
        let namespace = self.namespace(place);
        let words = ["-n", &namespace, "qdisc", verb, "dev", "eth0", "root"];
        shell::run("tc", &[&words[..], bucket].concat()).await.map(drop)
    }

    async fn rule(&self, place: Place, rule: &str) -> Result<(), ShellError> {
        let enter = self.enter(place);
        let words: Vec<&str> = enter.iter().map(String::as_str).chain(["nft", rule]).collect();
        shell::run(words[0], &words[1..]).await.map(drop)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        remove(self.owner);
    }
}

fn host_part(place: Place) -> usize {
    match place {
        Place::Node(index) => 11 + index,
        Place::Worker(index) => 21 + index,
        Place::Broker => 31,
    }
}

/// The end of its link that is on the bridge.
fn outside_of(owner: u32, place: Place) -> String {
    format!("tp{owner}x{}", host_part(place))
}

/// One that no run beside this one has.
async fn free_subnet(owner: u32) -> Result<u32, ShellError> {
    let taken = shell::run("ip", &["-o", "-4", "addr", "show"]).await?;
    let mut tried = SUBNETS.map(|step| (owner + step) % SUBNETS.end);
    let free = tried.find(|subnet| !taken.contains(&format!("10.213.{subnet}.")));
    Ok(free.unwrap_or(owner % SUBNETS.end))
}

/// Removes what runs have left that were killed themselves.
async fn sweep() -> Result<(), ShellError> {
    let names = shell::run("ip", &["netns", "list"]).await?;
    let owner = |line: &str| {
        let mut parts = line.split([' ', '-']);
        let is_ours = parts.next() == Some(PREFIX);
        is_ours.then(|| parts.next()?.parse::<u32>().ok())?
    };
    let mut owners: Vec<u32> = names.lines().filter_map(owner).collect();
    owners.dedup();
    for owner in owners {
        if !Path::new(&format!("/proc/{owner}")).exists() {
            remove(owner);
        }
    }
    Ok(())
}

/// Ends what runs in the namespaces of this owner and removes them. A command that does not succeed has nothing to remove.
fn remove(owner: u32) {
    for place in places() {
        let namespace = format!("{PREFIX}-{owner}-{place}");
        let pids = Command::new("ip").args(["netns", "pids", &namespace]).output();
        let pids = pids.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        for pid in pids.unwrap_or_default().lines() {
            Command::new("kill").args(["-KILL", pid]).output().ok();
        }
        // Before the namespace, with which it would go too, but a while later: the next run of this process has the same
        // names.
        for words in [
            ["link", "del", &outside_of(owner, place)],
            ["netns", "del", &namespace],
        ] {
            Command::new("ip").args(words).output().ok();
        }
    }
    let bridge = format!("{BRIDGE}{owner}");
    Command::new("ip").args(["link", "del", &bridge]).output().ok();
}
