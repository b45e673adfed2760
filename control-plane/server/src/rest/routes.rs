//! The table of the REST API: which paths there are, and which operation each method is.

use http::Method;

/// One method of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    ServerInfo,
    Health,
    ApiDescription,
    ListConnectors,
    CreateConnector,
    GetConnector,
    DeleteConnector,
    GetConfig,
    PutConfig,
    PatchConfig,
    GetStatus,
    ListTasks,
    GetTaskStatus,
    RestartConnector,
    RestartTask,
    PauseConnector,
    ResumeConnector,
    StopConnector,
    GetTopics,
    ResetTopics,
    GetOffsets,
    AlterOffsets,
    ResetOffsets,
    ListPlugins,
    GetPluginConfig,
    ValidateConfig,
}

impl Operation {
    /// Operations without one ignore what is sent.
    pub(crate) fn has_body(self) -> bool {
        matches!(
            self,
            Self::CreateConnector
                | Self::PutConfig
                | Self::PatchConfig
                | Self::AlterOffsets
                | Self::ValidateConfig
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Route {
    /// `{name}` stands for any segment, `{task}` for a 32-bit integer.
    pub(crate) pattern: &'static str,
    pub(crate) verbs: &'static [(Verb, Operation)],
}

pub(crate) const ROUTES: &[Route] = &[
    route("/", &[(Verb::Get, Operation::ServerInfo)]),
    route("/health", &[(Verb::Get, Operation::Health)]),
    route("/openapi.json", &[(Verb::Get, Operation::ApiDescription)]),
    route(
        "/connectors",
        &[
            (Verb::Get, Operation::ListConnectors),
            (Verb::Post, Operation::CreateConnector),
        ],
    ),
    route(
        "/connectors/{name}",
        &[
            (Verb::Get, Operation::GetConnector),
            (Verb::Delete, Operation::DeleteConnector),
        ],
    ),
    route(
        "/connectors/{name}/config",
        &[
            (Verb::Get, Operation::GetConfig),
            (Verb::Put, Operation::PutConfig),
            (Verb::Patch, Operation::PatchConfig),
        ],
    ),
    route("/connectors/{name}/status", &[(Verb::Get, Operation::GetStatus)]),
    route("/connectors/{name}/tasks", &[(Verb::Get, Operation::ListTasks)]),
    route(
        "/connectors/{name}/tasks/{task}/status",
        &[(Verb::Get, Operation::GetTaskStatus)],
    ),
    route(
        "/connectors/{name}/tasks/{task}/restart",
        &[(Verb::Post, Operation::RestartTask)],
    ),
    route(
        "/connectors/{name}/restart",
        &[(Verb::Post, Operation::RestartConnector)],
    ),
    route(
        "/connectors/{name}/pause",
        &[(Verb::Put, Operation::PauseConnector)],
    ),
    route(
        "/connectors/{name}/resume",
        &[(Verb::Put, Operation::ResumeConnector)],
    ),
    route(
        "/connectors/{name}/stop",
        &[(Verb::Put, Operation::StopConnector)],
    ),
    route("/connectors/{name}/topics", &[(Verb::Get, Operation::GetTopics)]),
    route(
        "/connectors/{name}/topics/reset",
        &[(Verb::Put, Operation::ResetTopics)],
    ),
    route(
        "/connectors/{name}/offsets",
        &[
            (Verb::Get, Operation::GetOffsets),
            (Verb::Patch, Operation::AlterOffsets),
            (Verb::Delete, Operation::ResetOffsets),
        ],
    ),
    route("/connector-plugins", &[(Verb::Get, Operation::ListPlugins)]),
    route(
        "/connector-plugins/{name}/config",
        &[(Verb::Get, Operation::GetPluginConfig)],
    ),
    route(
        "/connector-plugins/{name}/config/validate",
        &[(Verb::Put, Operation::ValidateConfig)],
    ),
];

const fn route(pattern: &'static str, verbs: &'static [(Verb, Operation)]) -> Route {
    Route { pattern, verbs }
}

/// What stood in the path for the placeholders of the pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// Of a connector or a plugin.
    pub(crate) name: String,
    /// `None` if the text is no 32-bit integer: there is no such path then.
    pub(crate) task: Option<i32>,
}

impl Route {
    /// `None`: 405.
    pub(crate) fn operation(&self, method: &Method) -> Option<Operation> {
        // The answer to HEAD is the one to GET; its body is left out when it is sent.
        let method = if *method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        self.verbs
            .iter()
            .find(|(verb, _)| verb.as_str() == method.as_str())
            .map(|(_, operation)| *operation)
    }

    /// The methods that the path knows, for `Allow`.
    pub(crate) fn methods(&self) -> Vec<&'static str> {
        let verbs = self.verbs.iter().map(|(verb, _)| verb.as_str());
        let head = verbs.clone().find(|verb| *verb == "GET").map(|_| "HEAD");
        head.into_iter().chain(verbs).chain(["OPTIONS"]).collect()
    }

    fn parameters(&self, segments: &[String]) -> Option<Parameters> {
        let pattern = self.pattern.split('/').filter(|part| !part.is_empty());
        if pattern.clone().count() != segments.len() {
            return None;
        }
        let mut parameters = Parameters::default();
        for (part, segment) in pattern.zip(segments) {
            match part {
                "{name}" if !segment.is_empty() => parameters.name.clone_from(segment),
                "{task}" if !segment.is_empty() => parameters.task = segment.parse().ok(),
                literal if literal == segment => {}
                _ => return None,
            }
        }
        Some(parameters)
    }
}

/// `None`: 404.
pub(crate) fn find(segments: &[String]) -> Option<(&'static Route, Parameters)> {
    ROUTES
        .iter()
        .find_map(|route| Some((route, route.parameters(segments)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Option<(&'static str, Parameters)> {
        let segments = super::super::path::segments(path).unwrap();
        find(&segments).map(|(route, parameters)| (route.pattern, parameters))
    }

    fn named(name: &str) -> Parameters {
        Parameters {
            name: name.to_owned(),
            task: None,
        }
    }

    #[test]
    fn every_path_is_found_by_its_shape() {
        assert_eq!(found("/"), Some(("/", Parameters::default())));
        assert_eq!(
            found("/connectors/"),
            Some(("/connectors", Parameters::default()))
        );
        assert_eq!(
            found("/connectors/a%2Fb/config"),
            Some(("/connectors/{name}/config", named("a/b")))
        );
        assert_eq!(
            found("/connectors/config"),
            Some(("/connectors/{name}", named("config")))
        );
        assert_eq!(
            found("/connector-plugins/Cast%24Value/config/validate"),
            Some(("/connector-plugins/{name}/config/validate", named("Cast$Value")))
        );
        for path in [
            "/nope",
            "//connectors",
            "/connectors//config",
            "/connectors/a/tasks-config",
            "/connectors/a/b/c",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }

    #[test]
    fn a_task_is_a_number_of_32_bits_or_there_is_no_such_path() {
        let task = |text: &str| {
            found(&format!("/connectors/c/tasks/{text}/status"))
                .unwrap()
                .1
                .task
        };
        assert_eq!(task("0"), Some(0));
        assert_eq!(task("-1"), Some(-1));
        assert_eq!(task("x"), None);
        assert_eq!(task("2147483648"), None);
    }

    #[test]
    fn head_is_known_where_get_is() {
        let (route, _) = find(&["connectors".to_owned()]).unwrap();
        assert_eq!(route.operation(&Method::HEAD), Some(Operation::ListConnectors));
        assert_eq!(route.operation(&Method::PATCH), None);
        assert_eq!(route.methods(), ["HEAD", "GET", "POST", "OPTIONS"]);
        let (route, _) = find(&["connectors".to_owned(), "a".to_owned(), "pause".to_owned()]).unwrap();
        assert_eq!(route.operation(&Method::HEAD), None);
        assert_eq!(route.methods(), ["PUT", "OPTIONS"]);
    }
}
