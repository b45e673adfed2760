//! What is known of others is kept, told and believed in the right order.

use std::pin::pin;

use tempfile::TempDir;

use super::*;

fn opened(dir: &TempDir) -> (Arc<Disk>, Arc<Register>) {
    let disk = Arc::new(Disk::open(dir.path()).unwrap());
    let register = Register::load(1, &disk).unwrap();
    (disk, Arc::new(register))
}

fn of_leader(group: &str, disk: &str) -> PeerRequest {
    PeerRequest {
        sender: 2,
        disk: disk.to_owned(),
        group: group.to_owned(),
        disks: [(2, disk.to_owned())].into(),
        ..PeerRequest::default()
    }
}

#[tokio::test]
async fn what_is_known_of_the_others_outlives_a_restart() {
    let dir = TempDir::new().unwrap();
    let (disk, register) = opened(&dir);
    assert!(register.begin().await.unwrap());
    register.recognize(2, "first").await.unwrap();
    let (own, known) = (register.own().to_owned(), register.known());
    assert_eq!(known.group.as_deref(), Some(&*own));
    let closed = disk.closed();
    drop(disk);
    closed.cancelled().await;
    let (_disk, register) = opened(&dir);
    assert_eq!((register.own(), register.known()), (&*own, known));
    let other = register.recognize(2, "second").await.unwrap_err();
    assert!(matches!(other, StrangerError::Disk { node: 2 }), "{other}");
}

#[tokio::test]
async fn another_disk_than_the_known_one_is_refused_until_the_number_is_given_away() {
    let dir = TempDir::new().unwrap();
    let (_disk, register) = opened(&dir);
    register.recognize(2, "first").await.unwrap();
    let refused = register.admit(&of_leader("", "second")).unwrap_err();
    assert!(matches!(refused, StrangerError::Disk { node: 2 }), "{refused}");
    register.admit(&of_leader("", "first")).unwrap();
    let for_another = PeerRequest {
        target_disk: "of before".to_owned(),
        ..PeerRequest::default()
    };
    let refused = register.admit(&for_another).unwrap_err();
    assert!(matches!(refused, StrangerError::Disk { node: 1 }), "{refused}");
    register.forget(2).await.unwrap();
    register.recognize(2, "second").await.unwrap();
    // What a leader says is newer.
    register.adopt(1, &of_leader("", "third")).await.unwrap();
    register.admit(&of_leader("", "third")).unwrap();
}

#[tokio::test]
async fn a_node_belongs_to_the_group_of_the_first_leader_and_begins_none_afterwards() {
    let dir = TempDir::new().unwrap();
    let (_disk, register) = opened(&dir);
    register.adopt(1, &of_leader("a", "first")).await.unwrap();
    register.adopt(1, &of_leader("b", "first")).await.unwrap();
    assert_eq!(register.known().group.as_deref(), Some("a"));
    let refused = register.admit(&of_leader("b", "first")).unwrap_err();
    assert!(matches!(refused, StrangerError::Group { .. }), "{refused}");
    assert!(!register.begin().await.unwrap());
}

#[tokio::test]
async fn a_node_of_a_version_without_ids_is_not_checked() {
    let dir = TempDir::new().unwrap();
    let (_disk, register) = opened(&dir);
    register.adopt(1, &of_leader("a", "first")).await.unwrap();
    register.admit(&of_leader("", "")).unwrap();
    register.recognize(2, "").await.unwrap();
    register.adopt(1, &PeerRequest::default()).await.unwrap();
    let known = register.known();
    assert_eq!((known.group.as_deref(), known.disks.len()), (Some("a"), 1));
}

#[tokio::test]
async fn what_a_leader_has_said_before_does_not_replace_what_it_says_now() {
    let dir = TempDir::new().unwrap();
    let (_disk, register) = opened(&dir);
    let of = |disk: &str, revision| PeerRequest {
        revision,
        ..of_leader("a", disk)
    };
    register.adopt(3, &of("second", 7)).await.unwrap();
    for (term, disk, revision, expected) in [
        (3, "first", 6, "second"),
        (2, "first", 9, "second"),
        (3, "second", 8, "second"),
        // It said nothing else, and still it is later than this.
        (3, "first", 7, "second"),
        (4, "third", 1, "third"),
    ] {
        register.adopt(term, &of(disk, revision)).await.unwrap();
        let known = register.known();
        assert_eq!(known.disks[&2], expected, "term {term}, revision {revision}");
    }
    assert_eq!(register.known().revision, 2, "the changes");
}

/// Requests are broken off when they time out, and what they began goes on.
#[tokio::test]
async fn changes_that_are_broken_off_are_made_in_their_order_or_not_at_all() {
    let dir = TempDir::new().unwrap();
    let (_disk, register) = opened(&dir);
    let of = |disk: String| PeerRequest {
        // Of a version that does not count.
        revision: 0,
        ..of_leader("a", &disk)
    };
    for number in 0..100 {
        for earlier in 0..4 {
            let told = of(format!("{number}, {earlier} before"));
            let adopted = pin!(register.adopt(1, &told));
            assert!(futures::poll!(adopted).is_pending(), "it has begun");
        }
        register.adopt(1, &of(number.to_string())).await.unwrap();
        assert_eq!(register.known().disks[&2], number.to_string());
    }
    register.forget(2).await.unwrap();
    assert_eq!(register.known().disks.get(&2), None, "nothing is left to be done");
}

#[tokio::test]
async fn nothing_counts_that_cannot_be_kept() {
    let dir = TempDir::new().unwrap();
    let (disk, register) = opened(&dir);
    drop(disk);
    let lost = register.recognize(2, "first").await.unwrap_err();
    assert!(matches!(lost, StrangerError::Stopping { node: 1 }), "{lost}");
    assert_eq!(register.known(), Known::default());
}
