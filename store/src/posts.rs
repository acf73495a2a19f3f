//! What a channel of a chat is told, each once: the key names the event and the kind of chat.

use domain::{PostId, Timestamp};
use sqlx::QueryBuilder;

use crate::engine::{At, Error, Tx};

row! {
    /// One post.
    pub struct PostRow {
        /// Which.
        pub id: PostId,
        /// `teams` or `slack`.
        pub chat: String,
        /// What it says first.
        pub title: String,
        /// What happened.
        pub body: String,
        /// The page that it leads to, from `/`.
        pub path: String,
        /// `queued`, `sent` or `failed`.
        pub state: String,
        /// What the chat said when it was not taken.
        pub problem: Option<String>,
        /// When it was written.
        pub created_at: Timestamp,
    }
}

/// A post to keep.
#[derive(Clone, Debug)]
pub struct NewPost {
    /// Its id.
    pub id: PostId,
    /// Names the event and the kind of chat: the same key is kept once.
    pub key: String,
    /// `teams` or `slack`.
    pub chat: &'static str,
    /// What it says first.
    pub title: String,
    /// What happened.
    pub body: String,
    /// The page that it leads to, from `/`.
    pub path: String,
}

impl Tx {
    /// Keeps posts, each unless one with its key exists. Gives the ids of those that are new.
    pub async fn insert_posts(
        &mut self,
        posts: &[NewPost],
        now: Timestamp,
    ) -> Result<Vec<PostId>, Error> {
        let mut new = Vec::new();
        for chunk in posts.chunks(500) {
            let ids: Vec<uuid::Uuid> = on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO posts (id, key, chat, title, body, path, state, created_at) ");
                query.push_values(chunk, |mut tuple, post| {
                    tuple.push_bind(post.id.0).push_bind(post.key.clone()).push_bind(post.chat)
                        .push_bind(post.title.clone()).push_bind(post.body.clone()).push_bind(post.path.clone())
                        .push("'queued'").push_bind(At(now));
                });
                query.push(" ON CONFLICT (key) DO NOTHING RETURNING id");
                query.build_query_scalar().fetch_all(c).await
            })?;
            new.extend(ids.into_iter().map(PostId));
        }
        Ok(new)
    }

    /// A post.
    pub async fn post(&mut self, id: PostId) -> Result<Option<PostRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, chat, title, body, path, state, problem, created_at FROM posts WHERE id = $1")
            .bind(id.0).fetch_optional(c).await)?)
    }

    /// Notes what became of a post.
    pub async fn set_post(
        &mut self,
        id: PostId,
        state: &str,
        problem: Option<&str>,
        sent: Option<Timestamp>,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE posts SET state = $2, problem = $3, sent_at = $4 WHERE id = $1")
            .bind(id.0).bind(state).bind(problem).bind(sent.map(At)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Lets a post that was given up be tried again. False if it was not given up.
    pub async fn requeue_post(&mut self, id: PostId) -> Result<bool, Error> {
        let changed = on!(self, c => sqlx::query("UPDATE posts SET state = 'queued' WHERE id = $1 AND state = 'failed'")
            .bind(id.0).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// Posts that were not sent because of something, newest first.
    pub async fn post_problems(&mut self, limit: i64) -> Result<Vec<PostRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, chat, title, body, path, state, problem, created_at FROM posts
             WHERE problem IS NOT NULL ORDER BY created_at DESC, id DESC LIMIT $1")
            .bind(limit).fetch_all(c).await)?)
    }
}
