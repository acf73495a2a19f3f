//! Posts to a chat: handed over once, refused without saying where to, and nothing is followed. In real time, with the worker's
//! own loop.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use provisioner::{
    chat::Webhooks,
    http,
    worker::{Options, Worker},
};
use store::{Engine, testing};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_util::sync::CancellationToken;
use workflow::{
    Clock, Ids, Settings, Workflow,
    chat::{self, Chat, Post},
};

/// A chat's address on this machine: keeps what was posted and answers with a status.
async fn sink(status: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&taken);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = Vec::new();
            let mut chunk = [0; 4096];
            // One small post: whole once its JSON is closed.
            while !text.ends_with(b"}") {
                let read = stream.read(&mut chunk).await.unwrap();
                if read == 0 {
                    break;
                }
                text.extend_from_slice(&chunk[..read]);
            }
            kept.lock().unwrap().push(String::from_utf8(text).unwrap());
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:9/\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, taken)
}

async fn posted(status: &'static str) -> (String, String, Vec<String>) {
    let settings = Settings {
        chats: vec![Chat::Teams],
        ..Settings::default()
    };
    let store = testing::store(Engine::Sqlite).await;
    let workflow = Workflow::new(store, Clock::system(), Ids::seeded(77), settings);
    let mut unit = workflow.unit().await.unwrap();
    let post = Post {
        title: "A decision waits for security".into(),
        text: "Åsa asks.".into(),
        path: "/approvals/stg_1".into(),
    };
    chat::queue(&mut unit, "needed:1", &post);
    chat::queue(&mut unit, "needed:1", &post);
    unit.commit().await.unwrap();
    let (address, taken) = sink(status).await;
    let client = http::client(&http::Options::default()).unwrap();
    let webhooks = Webhooks::new(client, [(Chat::Teams, address.clone())].into());
    let worker = Worker::builder(workflow.clone(), Options::default())
        .poster(Arc::new(webhooks))
        .build();
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (worker, stop) = (worker, stop.clone());
        async move { worker.run(stop).await }
    });
    for _ in 0..500 {
        if !taken.lock().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut problem = String::new();
    for _ in 0..100 {
        let mut tx = workflow.store().read().await.unwrap();
        let row = tx.post_problems(10).await.unwrap().pop();
        drop(tx);
        if let Some(row) = row {
            problem = format!("{} {}", row.state, row.problem.unwrap_or_default());
            break;
        }
        if status.starts_with('2') {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    let taken = taken.lock().unwrap().clone();
    (address, problem, taken)
}

#[tokio::test]
async fn a_post_is_handed_to_the_chat_once() {
    let (_, problem, taken) = posted("202 Accepted").await;
    assert_eq!(problem, "");
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert!(taken[0].starts_with("POST /hook"));
    assert!(taken[0].contains("AdaptiveCard") && taken[0].contains("/approvals/stg_1"));
}

#[tokio::test]
async fn a_chat_that_refuses_is_seen_without_its_address_and_nothing_is_followed() {
    for (status, state) in [
        ("400 Bad Request", "failed"),
        ("429 Too Many Requests", "queued"),
        ("302 Found", "queued"),
    ] {
        let (address, problem, _) = posted(status).await;
        assert!(problem.starts_with(state), "{status}: {problem}");
        assert!(!problem.contains(&address), "{problem}");
        assert!(problem.contains(&status[..3]), "{problem}");
    }
}
