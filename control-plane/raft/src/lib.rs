//! openraft over sled behind the ClusterStore trait.
