//! The limit to compare with: a bare axum handler with one indexed query over the same rows and a page of text.

use std::fmt::Write;

use axum::{Router, extract::State, response::Html, routing::get, serve::ListenerExt};
use sqlx::{PgPool, SqlitePool};

#[derive(Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

const LIST: &str =
    "SELECT name, summary FROM packages WHERE state = 'offered' ORDER BY name, id LIMIT 25";

/// Serves until killed.
pub async fn serve(url: &str, port: u16) -> Result<(), Box<dyn std::error::Error>> {
    let pool = match url.strip_prefix("sqlite:") {
        Some(path) => Pool::Sqlite(SqlitePool::connect(&format!("sqlite://{path}")).await?),
        None => Pool::Postgres(PgPool::connect(url).await?),
    };
    let app = Router::new().route("/", get(page)).with_state(pool);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, app).await?;
    Ok(())
}

async fn page(State(pool): State<Pool>) -> Html<String> {
    let rows: Vec<(String, String)> = match &pool {
        Pool::Sqlite(pool) => sqlx::query_as(LIST).fetch_all(pool).await,
        Pool::Postgres(pool) => sqlx::query_as(LIST).fetch_all(pool).await,
    }
    .unwrap_or_default();
    let mut html = String::from("<!doctype html><title>Catalogue</title><ul>");
    for (name, summary) in rows {
        write!(html, "<li><h2>{name}</h2><p>{summary}</p>").expect("a String takes everything");
    }
    Html(html)
}
