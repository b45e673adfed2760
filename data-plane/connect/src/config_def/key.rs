//! What is known of one configuration key.

use super::Validator;

/// How the text of a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in Kafka's ConfigDef.Type")]
pub enum ConfigType {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    Password,
}

impl ConfigType {
    /// Upper-case name as in answers of the REST API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }
}

/// How much a key matters to most users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as in Kafka's ConfigDef.Importance")]
pub enum Importance {
    High,
    Medium,
    Low,
}

impl Importance {
    /// Upper-case name as in answers of the REST API.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

/// How wide a field for the value a form shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in Kafka's ConfigDef.Width")]
pub enum Width {
    None,
    Short,
    Medium,
    Long,
}

impl Width {
    /// Upper-case name as in answers of the REST API.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Short => "SHORT",
            Self::Medium => "MEDIUM",
            Self::Long => "LONG",
        }
    }
}

/// What stands for a key that is not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Default {
    /// Nothing: the key must be set.
    Required,
    /// Null.
    Null,
    /// This text, read like a value of the user's.
    Text(String),
}

/// Where the values that a form offers come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recommend {
    /// None are offered.
    Nothing,
    /// These.
    Values(Vec<String>),
}

/// One configuration key. Made by the constructor of its type, then refined by the setters.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "each field is the attribute of the REST API of that name"
)]
pub struct ConfigKey {
    pub name: String,
    pub kind: ConfigType,
    pub default: Default,
    pub validator: Option<Validator>,
    pub importance: Importance,
    pub documentation: String,
    pub group: Option<String>,
    pub order_in_group: i32,
    pub width: Width,
    pub display_name: String,
    pub dependents: Vec<String>,
    pub recommend: Recommend,
    /// Not listed in answers: keys that a connector writes into the configurations of its tasks.
    pub internal: bool,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        $($(#[$doc])* pub fn $name(name: impl Into<String>) -> Self { Self::new(name, ConfigType::$kind) })*
    };
}

impl ConfigKey {
    /// A required key of this type: importance medium, no group, no width, displayed as its name.
    pub fn new(name: impl Into<String>, kind: ConfigType) -> Self {
        let name = name.into();
        Self {
            display_name: name.clone(),
            name,
            kind,
            default: Default::Required,
            validator: None,
            importance: Importance::Medium,
            documentation: String::new(),
            group: None,
            order_in_group: -1,
            width: Width::None,
            dependents: Vec::new(),
            recommend: Recommend::Nothing,
            internal: false,
        }
    }

    constructors! {
        /// A key that is `true` or `false`.
        boolean => Boolean;
        /// A text key; blanks around the value are removed.
        string => String;
        /// A 32-bit integer.
        int => Int;
        /// A 16-bit integer.
        short => Short;
        /// A 64-bit integer.
        long => Long;
        /// A floating-point number.
        double => Double;
        /// A list separated by commas.
        list => List;
        /// The name or alias of a plugin's class.
        class => Class;
        /// A secret.
        password => Password;
    }

    /// Not set means this value.
    pub fn default(mut self, text: impl Into<String>) -> Self {
        self.default = Default::Text(text.into());
        self
    }

    /// Not set means null.
    pub fn default_null(mut self) -> Self {
        self.default = Default::Null;
        self
    }

    /// Values are checked by this.
    pub fn valid(mut self, validator: Validator) -> Self {
        self.validator = Some(validator);
        self
    }

    /// How much the key matters.
    pub fn importance(mut self, importance: Importance) -> Self {
        self.importance = importance;
        self
    }

    /// Importance high.
    pub fn high(self) -> Self {
        self.importance(Importance::High)
    }

    /// Importance low.
    pub fn low(self) -> Self {
        self.importance(Importance::Low)
    }

    /// What the key does.
    pub fn doc(mut self, text: impl Into<String>) -> Self {
        self.documentation = text.into();
        self
    }

    /// The group and the place in it, the width and the title in forms.
    pub fn shown(mut self, group: &str, order_in_group: i32, width: Width, display_name: &str) -> Self {
        self.group = Some(group.to_owned());
        self.order_in_group = order_in_group;
        self.width = width;
        display_name.clone_into(&mut self.display_name);
        self
    }

    /// The values that a form offers.
    pub fn recommended(mut self, values: Vec<String>) -> Self {
        self.recommend = Recommend::Values(values);
        self
    }

    /// Keys that depend on this one.
    pub fn dependents(mut self, keys: &[&str]) -> Self {
        self.dependents = keys.iter().map(|&key| key.to_owned()).collect();
        self
    }

    /// Marks a key that a connector writes for its tasks and no user sets.
    pub fn internal(mut self) -> Self {
        self.internal = true;
        self
    }
}
