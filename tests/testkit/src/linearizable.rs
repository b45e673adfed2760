//! Whether a history of operations on independent keys is linearizable: whether each operation can be given one instant
//! between its call and its return so that, in the order of these instants, all of them make sense together. Not for
//! histories across keys, and not for anything but values that are created, put, deleted and read.
//!
//! The search tries an order, takes back the last step when it leads nowhere, and remembers what was tried: the set of
//! operations that are placed and the value they lead to. An operation whose outcome is not known may have had its
//! effect at any time after its call, or never.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Debug};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action<V> {
    /// Only if there is no value.
    Create(V),
    /// Whether there is a value or not.
    Put(V),
    /// Only if there is a value.
    Update(V),
    /// Only if there is a value.
    Delete,
    Read,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<V> {
    /// It had its effect.
    Done,
    /// By a read; `None`: there is no value.
    Found(Option<V>),
    /// The condition of a create, update or delete did not hold.
    Refused,
    /// It had no effect, and says nothing about the value.
    Failed,
    /// Nobody knows: no answer came, or one that leaves it open.
    Unknown,
}

/// One operation. Times are of one clock and may have any unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation<V> {
    pub action: Action<V>,
    pub answer: Answer<V>,
    pub invoked: u64,
    /// Of no meaning when the answer is unknown.
    pub returned: u64,
}

/// The operations on each key, in any order.
pub type History<V> = BTreeMap<String, Vec<Operation<V>>>;

/// A key whose operations have no order in which they make sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotLinearizable<V> {
    pub key: String,
    /// By time of call.
    pub operations: Vec<Operation<V>>,
    /// How many operations the longest order that makes sense has.
    pub explained: usize,
}

impl<V: Debug> fmt::Display for NotLinearizable<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, explained) = (&self.key, self.explained);
        writeln!(
            f,
            "the history of \"{key}\" is not linearizable: no order explains more than {explained} of these operations"
        )?;
        for operation in &self.operations {
            let Operation {
                action,
                answer,
                invoked,
                returned,
            } = operation;
            writeln!(f, "  {invoked}..{returned} {action:?} -> {answer:?}")?;
        }
        Ok(())
    }
}

impl<V: Debug> std::error::Error for NotLinearizable<V> {}

/// # Errors
/// The first key whose operations have no order in which they make sense.
pub fn check<V: Clone + Eq + Debug>(history: &History<V>) -> Result<(), NotLinearizable<V>> {
    for (key, operations) in history {
        let mut operations = operations.clone();
        operations.retain(says_something);
        operations.sort_by_key(|operation| operation.invoked);
        if let Err(explained) = Search::new(&operations).run() {
            return Err(NotLinearizable {
                key: key.clone(),
                operations,
                explained,
            });
        }
    }
    Ok(())
}

fn says_something<V: PartialEq>(operation: &Operation<V>) -> bool {
    match operation.answer {
        Answer::Done | Answer::Found(_) | Answer::Refused => true,
        Answer::Failed => false,
        Answer::Unknown => operation.action != Action::Read,
    }
}

/// The value after some operations: the number of the operation that wrote it. Two that wrote equal values count as one.
type Value = Option<usize>;

/// Which operations are placed, a bit each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Placed(Vec<u64>);

impl Placed {
    fn contains(&self, index: usize) -> bool {
        self.0[index / 64] & (1 << (index % 64)) != 0
    }

    fn flip(&mut self, index: usize) {
        self.0[index / 64] ^= 1 << (index % 64);
    }
}

struct Step {
    operation: usize,
    before: Value,
    /// Where the search goes on if this step is taken back.
    next_try: usize,
}

struct Search<'a, V> {
    /// By time of call.
    operations: &'a [Operation<V>],
    placed: Placed,
    value: Value,
    steps: Vec<Step>,
    seen: HashSet<(Placed, Value)>,
    /// Operations with a known answer that are not placed yet.
    open: usize,
    /// All before it are placed.
    first_open: usize,
}

impl<'a, V: Eq> Search<'a, V> {
    fn new(operations: &'a [Operation<V>]) -> Self {
        let known = operations
            .iter()
            .filter(|operation| operation.answer != Answer::Unknown);
        Self {
            operations,
            placed: Placed(vec![0; operations.len().div_ceil(64)]),
            value: None,
            steps: Vec::new(),
            seen: HashSet::new(),
            open: known.count(),
            first_open: 0,
        }
    }

    /// The error says how many operations could be explained at most.
    fn run(mut self) -> Result<(), usize> {
        let mut longest = 0;
        let mut next_try = 0;
        while self.open > 0 {
            longest = longest.max(self.steps.len());
            if let Some(taken) = self.step(next_try) {
                next_try = taken;
            } else if let Some(step) = self.steps.pop() {
                self.take_back(&step);
                next_try = step.next_try;
            } else {
                return Err(longest);
            }
        }
        Ok(())
    }

    /// Places one more operation, the first that fits from this one on. `Some`: where to begin with the next.
    fn step(&mut self, from: usize) -> Option<usize> {
        let deadline = self.earliest_return();
        for index in from.max(self.first_open)..self.operations.len() {
            let operation = &self.operations[index];
            // An operation that was called after another had returned comes after it.
            if operation.invoked > deadline {
                return None;
            }
            if self.placed.contains(index) {
                continue;
            }
            let Some(after) = self.effect(index) else { continue };
            self.placed.flip(index);
            if self.seen.insert((self.placed.clone(), after)) {
                self.steps.push(Step {
                    operation: index,
                    before: self.value,
                    next_try: index + 1,
                });
                self.value = after;
                self.open -= usize::from(operation.answer != Answer::Unknown);
                self.move_first_open();
                return Some(self.first_open);
            }
            self.placed.flip(index);
        }
        None
    }

    fn take_back(&mut self, step: &Step) {
        self.placed.flip(step.operation);
        self.value = step.before;
        self.open += usize::from(self.operations[step.operation].answer != Answer::Unknown);
        self.first_open = self.first_open.min(step.operation);
    }

    fn move_first_open(&mut self) {
        while self.first_open < self.operations.len() && self.placed.contains(self.first_open) {
            self.first_open += 1;
        }
    }

    /// Of the operations that are not placed and whose return is known.
    fn earliest_return(&self) -> u64 {
        let mut earliest = u64::MAX;
        for (index, operation) in self.operations.iter().enumerate().skip(self.first_open) {
            if operation.invoked > earliest {
                break;
            }
            if operation.answer != Answer::Unknown && !self.placed.contains(index) {
                earliest = earliest.min(operation.returned);
            }
        }
        earliest
    }

    /// The value after it, if it could happen now.
    fn effect(&self, index: usize) -> Option<Value> {
        let operation = &self.operations[index];
        let is_there = self.value.is_some();
        let is_allowed = match (&operation.action, &operation.answer) {
            (Action::Read, Answer::Found(found)) => found.as_ref() == self.written(self.value),
            (Action::Create(_), Answer::Refused)
            | (Action::Update(_) | Action::Delete, Answer::Done | Answer::Unknown) => is_there,
            (Action::Create(_), Answer::Done | Answer::Unknown)
            | (Action::Update(_) | Action::Delete, Answer::Refused) => !is_there,
            (Action::Put(_), Answer::Done | Answer::Unknown) => true,
            // Answers that do not belong to the action explain nothing.
            _ => false,
        };
        is_allowed.then(|| match (&operation.action, &operation.answer) {
            (Action::Create(_) | Action::Put(_) | Action::Update(_), Answer::Done | Answer::Unknown) => {
                Some(self.twin(index))
            }
            (Action::Delete, Answer::Done | Answer::Unknown) => None,
            _ => self.value,
        })
    }

    fn written(&self, value: Value) -> Option<&V> {
        match &self.operations[value?].action {
            Action::Create(value) | Action::Put(value) | Action::Update(value) => Some(value),
            Action::Delete | Action::Read => None,
        }
    }

    /// The first operation that writes the same value.
    fn twin(&self, index: usize) -> usize {
        let value = self.written(Some(index));
        (0..index)
            .find(|other| self.written(Some(*other)) == value)
            .unwrap_or(index)
    }
}
