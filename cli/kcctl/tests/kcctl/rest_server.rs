//! A small HTTP server that answers what it was told to, and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;

/// How long a request waits for others beside it.
const GATE_DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct RestServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By `METHOD /path?query`; the last answer is given again and again.
    answers: HashMap<String, VecDeque<Answer>>,
    asked: Vec<Asked>,
    /// Changes of connectors wait until so many of them are there at once.
    gate: usize,
    in_flight: usize,
    most_in_flight: usize,
    stopping: bool,
}

#[derive(Clone)]
struct Answer {
    status: u16,
    body: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) request: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// Request and answer number `n` of the recorded ones.
pub(crate) fn recorded(n: usize) -> (String, u16, Value) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/rest-4.3.1.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let line: Value = serde_json::from_str(text.lines().nth(n).unwrap()).unwrap();
    assert_eq!(line["n"], n);
    let status = u16::try_from(line["status"].as_u64().unwrap()).unwrap();
    (
        line["request"].as_str().unwrap().to_owned(),
        status,
        line["body"].clone(),
    )
}

impl RestServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = Arc::clone(&accepting);
                if serving.state.lock().unwrap().stopping {
                    return;
                }
                std::thread::spawn(move || serving.serve(&stream.unwrap()));
            }
        });
        Self { address, shared }
    }

    /// With recorded answers, and the version of the server.
    pub(crate) fn golden(numbers: &[usize]) -> Self {
        let server = Self::start();
        for &n in [0].iter().chain(numbers) {
            let (request, status, body) = recorded(n);
            let body = match body {
                Value::Null => String::new(),
                Value::String(page) => page,
                json => json.to_string(),
            };
            server.answer(&request, status, &body);
        }
        server
    }

    /// One more answer to a request.
    pub(crate) fn answer(&self, request: &str, status: u16, body: &str) -> &Self {
        let answer = Answer {
            status,
            body: body.to_owned(),
        };
        self.shared
            .state
            .lock()
            .unwrap()
            .answers
            .entry(request.to_owned())
            .or_default()
            .push_back(answer);
        self
    }

    /// Changes of connectors wait until so many of them are there at once.
    pub(crate) fn gate(&self, at_once: usize) {
        self.shared.state.lock().unwrap().gate = at_once;
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.shared.state.lock().unwrap().most_in_flight
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.state.lock().unwrap().asked.clone()
    }

    /// The requests that changed something, in order.
    pub(crate) fn changes(&self) -> Vec<String> {
        let requests = self.asked().into_iter().map(|asked| asked.request);
        requests
            .filter(|request| !request.starts_with("GET") && !request.ends_with("/validate"))
            .collect()
    }
}

impl Drop for RestServer {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().stopping = true;
        // Wakes the thread that accepts.
        let _woken = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut writer = stream;
        while let Some(asked) = read_request(&mut reader) {
            let answer = self.answer(asked);
            let text = format!(
                "HTTP/1.1 {} -\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                answer.status,
                answer.body.len(),
                answer.body
            );
            if writer.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, asked: Asked) -> Answer {
        let mut state = self.state.lock().unwrap();
        let request = asked.request.clone();
        let changes = request.starts_with("POST /connectors") || request.ends_with("/config");
        state.asked.push(asked);
        if changes {
            state.in_flight += 1;
            state.most_in_flight = state.most_in_flight.max(state.in_flight);
            self.changed.notify_all();
            let (passed, waited) = self
                .changed
                .wait_timeout_while(state, GATE_DEADLINE, |state| state.most_in_flight < state.gate)
                .unwrap();
            assert!(!waited.timed_out(), "requests come one by one");
            state = passed;
            state.in_flight -= 1;
        }
        let unknown = Answer {
            status: 404,
            body: r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#.into(),
        };
        match state.answers.get_mut(&request) {
            Some(answers) if answers.len() > 1 => answers.pop_front().unwrap(),
            Some(answers) => answers.front().cloned().unwrap_or(unknown),
            None => unknown,
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&bytes| bytes > 0)?;
    let mut words = line.split_whitespace();
    let request = format!("{} {}", words.next()?, words.next()?);
    let (mut length, mut authorization) = (0, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        request,
        authorization,
        body: String::from_utf8(body).ok()?,
    })
}
