//! Campaigns, worklists and reports with their names.

use domain::{
    CampaignId, ItemId, PersonId, TargetId, Timestamp,
    certification::{Act, Answer, CampaignState, ItemState, Silence},
};
use sqlx::QueryBuilder;

use crate::{
    certification::CampaignItemRow,
    engine::{At, Error, Tx},
};

row! {
    /// A campaign in a list.
    pub struct NamedCampaignRow {
        /// Its id.
        pub id: CampaignId,
        /// The short number.
        pub number: i64,
        /// What it is called.
        pub name: String,
        /// Where it stands.
        pub state: CampaignState,
        /// Who made it.
        pub made_by: Option<PersonId>,
        /// Their name.
        pub maker: Option<String>,
        /// When.
        pub made_at: Timestamp,
        /// Its deadline.
        pub due_at: Option<Timestamp>,
        /// When it closed.
        pub closed_at: Option<Timestamp>,
        /// When it was signed off.
        pub signed_at: Option<Timestamp>,
        /// How many items it has.
        pub population: i64,
        /// How many are open.
        pub open: i64,
    }

    /// How many items stand in one way.
    pub struct TallyRow {
        /// Where they stand.
        pub state: ItemState,
        /// What becomes of them.
        pub answer: Option<Answer>,
        /// How many.
        pub count: i64,
    }

    /// How far one reviewer, or one department, is.
    pub struct ProgressRow {
        /// The reviewer; none for what nobody may review, and for a department.
        pub person_id: Option<PersonId>,
        /// Their name, or the department.
        pub name: String,
        /// How many are open.
        pub open: i64,
        /// How many were answered.
        pub answered: i64,
        /// How many others there are: by silence, or void.
        pub other: i64,
        /// How many were answered together with others.
        pub together: i64,
        /// How many were kept.
        pub kept: i64,
    }

    /// An answer of a reviewer.
    pub struct GivenRow {
        /// Who gave it.
        pub by_id: PersonId,
        /// When.
        pub at: Timestamp,
        /// Whether together with others.
        pub together: bool,
        /// What it says.
        pub answer: Answer,
    }

    /// A reviewer's part of a running campaign.
    pub struct WorklistRow {
        /// The campaign.
        pub id: CampaignId,
        /// The short number.
        pub number: i64,
        /// What it is called.
        pub name: String,
        /// Whom or what a small one is about.
        pub about: Option<String>,
        /// Its deadline.
        pub due_at: Option<Timestamp>,
        /// What silence means.
        pub silence: Silence,
        /// The stage that is asked, from 1.
        pub stage: i64,
        /// The stages after the first, as JSON.
        pub later: String,
        /// How many are open.
        pub open: i64,
        /// How many the reviewer has answered.
        pub answered: i64,
    }

    /// The names that go with an item.
    pub struct ItemNamesRow {
        /// The item.
        pub id: ItemId,
        /// The holder's name.
        pub person: String,
        /// Their department.
        pub department: String,
        /// Their title.
        pub job_title: String,
        /// The reviewer's name.
        pub reviewer: Option<String>,
        /// The name of whoever answered.
        pub decider: Option<String>,
        /// The short number of the request behind it.
        pub request_number: Option<i64>,
        /// The application's name.
        pub application: Option<String>,
    }

    /// Where a reviewer's list stands.
    pub struct PlaceRow {
        /// What the list is sorted by.
        pub sort: String,
        /// The item.
        pub id: ItemId,
    }

    /// Something that was done to an item.
    pub struct NamedActRow {
        /// What.
        pub act: Act,
        /// By whom.
        pub by_name: Option<String>,
        /// To whom it went.
        pub to_name: Option<String>,
        /// What they wrote.
        pub note: String,
        /// When.
        pub at: Timestamp,
    }

    /// An earlier answer for the same access.
    pub struct EarlierRow {
        /// The campaign.
        pub campaign: String,
        /// What was said.
        pub answer: Answer,
        /// By whom; none for silence.
        pub decider: Option<String>,
        /// When.
        pub decided_at: Timestamp,
    }

    /// How a target stood when a campaign started.
    pub struct CoverageRow {
        /// The target.
        pub target_id: TargetId,
        /// Its name.
        pub name: String,
        /// How many rights of it were frozen.
        pub rights: i64,
        /// How many of those were seen there.
        pub present: i64,
        /// The oldest reading among them.
        pub oldest_read: Option<Timestamp>,
        /// The newest.
        pub newest_read: Option<Timestamp>,
        /// When it was last listed whole; none for never.
        pub listed_at: Option<Timestamp>,
    }

    /// A question about one's own access.
    pub struct QuestionRow {
        /// The item.
        pub id: ItemId,
        /// The campaign's name.
        pub campaign: String,
        /// What is held.
        pub right_name: String,
        /// What the reviewer asks.
        pub question: String,
        /// Who asks.
        pub reviewer: Option<String>,
    }

    /// How it stands with what was said no to.
    pub struct EnforcementRow {
        /// Not due yet.
        pub waiting: i64,
        /// Ended, and the targets have not confirmed it.
        pub pending: i64,
        /// Confirmed by the targets, or ends earlier as was said.
        pub done: i64,
        /// Of those that are pending, how many have been so since before the instant asked about.
        pub overdue: i64,
    }
}

impl Tx {
    /// Campaigns that are not over, or those that are, newest first; small reviews have a list of their own.
    pub async fn campaigns_page(
        &mut self,
        over: bool,
        limit: i64,
    ) -> Result<Vec<NamedCampaignRow>, Error> {
        let states = if over {
            "'signed_off', 'cancelled'"
        } else {
            "'draft', 'running', 'closed'"
        };
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT c.id, c.number, c.name, c.state, c.made_by, p.name AS maker, c.made_at, c.due_at, c.closed_at, c.signed_at, c.population,
                   (SELECT COUNT(*) FROM campaign_items i WHERE i.campaign_id = c.id AND i.state = 'open') AS open
                 FROM campaigns c LEFT JOIN persons p ON p.id = c.made_by WHERE c.state IN (");
            query.push(states).push(") AND NOT EXISTS (SELECT 1 FROM small_reviews s WHERE s.id = c.id) ORDER BY c.made_at DESC, c.id DESC LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// How the items of a campaign stand.
    pub async fn tally(&mut self, id: CampaignId) -> Result<Vec<TallyRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT state, answer, COUNT(*) AS count FROM campaign_items WHERE campaign_id = $1
             GROUP BY state, answer ORDER BY state, COALESCE(answer, '')").bind(id.0).fetch_all(c).await)?)
    }

    /// How far each reviewer of a campaign is, those with the most open first. What they were asked in stages that are over
    /// counts as well.
    pub async fn progress_of_reviewers(
        &mut self,
        id: CampaignId,
        limit: i64,
    ) -> Result<Vec<ProgressRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT x.reviewer_id AS person_id, COALESCE(p.name, '') AS name, x.open, x.answered, x.other, x.together, x.kept FROM (
               SELECT y.reviewer_id, COUNT(CASE WHEN y.state = 'open' THEN 1 END) AS open, COUNT(CASE WHEN y.state = 'decided' THEN 1 END) AS answered,
                 COUNT(CASE WHEN y.state IN ('defaulted', 'void') THEN 1 END) AS other, COUNT(CASE WHEN y.together = TRUE THEN 1 END) AS together,
                 COUNT(CASE WHEN y.state = 'decided' AND y.answer = 'keep' THEN 1 END) AS kept
               FROM (
                 SELECT reviewer_id, CASE WHEN stood = TRUE THEN 'defaulted' ELSE state END AS state, answer, together FROM campaign_items
                   WHERE campaign_id = $1
                 UNION ALL
                 SELECT reviewer_id, CASE WHEN answer IS NULL THEN 'defaulted' ELSE 'decided' END, answer, together FROM campaign_answers
                   WHERE campaign_id = $1) AS y
               GROUP BY y.reviewer_id) AS x
             LEFT JOIN persons p ON p.id = x.reviewer_id ORDER BY x.open DESC, name, x.reviewer_id LIMIT $2")
            .bind(id.0).bind(limit).fetch_all(c).await)?)
    }

    /// How far each department is, by the department of whoever holds the access, those with the most open first.
    pub async fn progress_of_departments(
        &mut self,
        id: CampaignId,
        limit: i64,
    ) -> Result<Vec<ProgressRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT NULL AS person_id, p.department AS name, COUNT(CASE WHEN i.state = 'open' THEN 1 END) AS open,
               COUNT(CASE WHEN i.state = 'decided' THEN 1 END) AS answered, COUNT(CASE WHEN i.state IN ('defaulted', 'void') THEN 1 END) AS other,
               COUNT(CASE WHEN i.together = TRUE THEN 1 END) AS together, COUNT(CASE WHEN i.state = 'decided' AND i.answer = 'keep' THEN 1 END) AS kept
             FROM campaign_items i JOIN persons p ON p.id = i.person_id WHERE i.campaign_id = $1
             GROUP BY p.department ORDER BY open DESC, name LIMIT $2").bind(id.0).bind(limit).fetch_all(c).await)?)
    }

    /// The answers that reviewers have given in a campaign, in all its stages; the newest of many.
    pub async fn answers_given(
        &mut self,
        id: CampaignId,
        limit: i64,
    ) -> Result<Vec<GivenRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT y.by_id, y.at, y.together, y.answer FROM (
               SELECT id, decided_by AS by_id, decided_at AS at, together, answer FROM campaign_items
                 WHERE campaign_id = $1 AND state = 'decided' AND stood = FALSE
               UNION ALL
               SELECT item_id, by_id, at, together, answer FROM campaign_answers WHERE campaign_id = $1 AND answer IS NOT NULL) AS y
             ORDER BY y.at DESC, y.id LIMIT $2").bind(id.0).bind(limit).fetch_all(c).await)?)
    }

    /// The running campaigns in which somebody has items to review or has reviewed some, the soonest deadline first.
    pub async fn worklists_of(&mut self, person: PersonId) -> Result<Vec<WorklistRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT c.id, c.number, c.name, COALESCE(w.name, s.said) AS about, c.due_at, c.silence, c.stage, c.later, x.open, x.answered FROM (
               SELECT y.campaign_id, COUNT(CASE WHEN y.state = 'open' THEN 1 END) AS open, COUNT(CASE WHEN y.state = 'decided' THEN 1 END) AS answered
               FROM (
                 SELECT campaign_id, CASE WHEN stood = TRUE THEN 'defaulted' ELSE state END AS state FROM campaign_items WHERE reviewer_id = $1
                 UNION ALL
                 SELECT campaign_id, 'decided' FROM campaign_answers WHERE by_id = $1) AS y
               GROUP BY y.campaign_id) AS x
             JOIN campaigns c ON c.id = x.campaign_id LEFT JOIN small_reviews s ON s.id = c.id LEFT JOIN persons w ON w.id = s.person_id
             WHERE c.state = 'running' ORDER BY c.due_at, c.id LIMIT 50")
            .bind(person.0).fetch_all(c).await)?)
    }

    /// The items of a reviewer in a campaign, by holder or by right; open ones, or those that are not, among them what they
    /// answered in a stage that is over.
    pub async fn worklist(
        &mut self,
        id: CampaignId,
        reviewer: PersonId,
        by_right: bool,
        open: bool,
        after: Option<(&str, ItemId)>,
        limit: i64,
    ) -> Result<Vec<PlaceRow>, Error> {
        // Both sides of the comparison are made of the same parts, so that a page begins exactly after the last.
        let sort = if by_right {
            "i.right_name || ' ' || p.search_key"
        } else {
            "p.search_key || ' ' || i.right_name"
        };
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new("SELECT x.sort, x.id FROM (SELECT ");
            query.push(sort).push(" AS sort, i.id FROM campaign_items i JOIN persons p ON p.id = i.person_id WHERE i.campaign_id = ")
                .push_bind(id.0);
            if open {
                query.push(" AND i.reviewer_id = ").push_bind(reviewer.0).push(" AND i.state = 'open'");
            } else {
                query.push(" AND ((i.reviewer_id = ").push_bind(reviewer.0).push(" AND i.state IN ('decided', 'defaulted', 'void'))")
                    .push(" OR EXISTS (SELECT 1 FROM campaign_answers a WHERE a.item_id = i.id AND a.by_id = ").push_bind(reviewer.0)
                    .push("))");
            }
            query.push(") AS x");
            if let Some((key, after)) = after {
                query.push(" WHERE (x.sort > ").push_bind(key.to_owned()).push(" OR (x.sort = ").push_bind(key.to_owned())
                    .push(" AND x.id > ").push_bind(after.0).push("))");
            }
            query.push(" ORDER BY x.sort, x.id LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The names that go with these items.
    pub async fn item_names(
        &mut self,
        items: &[CampaignItemRow],
    ) -> Result<Vec<ItemNamesRow>, Error> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT i.id, p.name AS person, p.department, p.job_title, r.name AS reviewer, d.name AS decider, l.number AS request_number,
                   a.name AS application
                 FROM campaign_items i JOIN persons p ON p.id = i.person_id LEFT JOIN persons r ON r.id = i.reviewer_id
                 LEFT JOIN persons d ON d.id = i.decided_by JOIN grants g ON g.id = i.grant_id LEFT JOIN lines l ON l.id = g.line_id
                 LEFT JOIN packages k ON k.id = i.package_id LEFT JOIN applications a ON a.id = k.application_id WHERE i.id IN (");
            let mut list = query.separated(", ");
            for item in items {
                list.push_bind(item.id.0);
            }
            query.push(") ORDER BY i.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// What was done to an item, oldest first.
    pub async fn acts_of(&mut self, id: ItemId) -> Result<Vec<NamedActRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT a.act, b.name AS by_name, t.name AS to_name, a.note, a.at FROM campaign_acts a LEFT JOIN persons b ON b.id = a.by_id
             LEFT JOIN persons t ON t.id = a.to_id WHERE a.item_id = $1 ORDER BY a.at, a.id").bind(id.0).fetch_all(c).await)?)
    }

    /// The last answer before this campaign for the same access of the same person.
    pub async fn earlier_answer(
        &mut self,
        item: &CampaignItemRow,
    ) -> Result<Option<EarlierRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT c.name AS campaign, i.answer, d.name AS decider, i.decided_at FROM campaign_items i JOIN campaigns c ON c.id = i.campaign_id
             LEFT JOIN persons d ON d.id = i.decided_by
             WHERE i.grant_id = $1 AND i.campaign_id <> $2 AND i.state IN ('decided', 'defaulted') ORDER BY i.decided_at DESC, i.id DESC LIMIT 1")
            .bind(item.grant_id.0).bind(item.campaign_id.0).fetch_optional(c).await)?)
    }

    /// How the targets stood when a campaign started.
    pub async fn coverage_of(&mut self, id: CampaignId) -> Result<Vec<CoverageRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT x.target_id, t.name, x.rights, x.present, x.oldest_read, x.newest_read, x.listed_at FROM campaign_targets x
             JOIN targets t ON t.id = x.target_id WHERE x.campaign_id = $1 ORDER BY t.name, t.id").bind(id.0).fetch_all(c).await)?)
    }

    /// The questions about somebody's access that wait for their answer.
    pub async fn questions_for(&mut self, person: PersonId) -> Result<Vec<QuestionRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT i.id, c.name AS campaign, i.right_name, i.question, r.name AS reviewer FROM campaign_items i
             JOIN campaigns c ON c.id = i.campaign_id LEFT JOIN persons r ON r.id = i.reviewer_id
             WHERE i.person_id = $1 AND i.state = 'open' AND i.question <> '' AND i.reply = '' ORDER BY i.id LIMIT 50")
            .bind(person.0).fetch_all(c).await)?)
    }

    /// Whether somebody reviews, or has reviewed, an item of a campaign.
    pub async fn reviews_in(&mut self, id: CampaignId, person: PersonId) -> Result<bool, Error> {
        let count: i64 = on!(self, c => sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM campaign_items WHERE campaign_id = $1 AND reviewer_id = $2 LIMIT 1) AS x)
               + (SELECT COUNT(*) FROM (SELECT 1 FROM campaign_answers WHERE campaign_id = $1 AND by_id = $2 LIMIT 1) AS x)")
            .bind(id.0).bind(person.0).fetch_one(c).await)?;
        Ok(count > 0)
    }

    /// How it stands with what was said no to in a campaign.
    pub async fn enforcement(
        &mut self,
        id: CampaignId,
        before: Timestamp,
    ) -> Result<EnforcementRow, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT COUNT(CASE WHEN i.enforced_at IS NULL THEN 1 END) AS waiting,
               COUNT(CASE WHEN i.enforced_at IS NOT NULL AND i.answer = 'revoke' AND g.gone_at IS NULL THEN 1 END) AS pending,
               COUNT(CASE WHEN i.enforced_at IS NOT NULL AND (i.answer = 'shorten' OR g.gone_at IS NOT NULL) THEN 1 END) AS done,
               COUNT(CASE WHEN i.enforced_at < $2 AND i.answer = 'revoke' AND g.gone_at IS NULL THEN 1 END) AS overdue
             FROM campaign_items i JOIN grants g ON g.id = i.grant_id
             WHERE i.campaign_id = $1 AND i.answer IN ('revoke', 'shorten')")
            .bind(id.0).bind(At(before)).fetch_one(c).await)?)
    }

    /// The departments and kinds of employment that there are, and the control scopes of rights, for forms: each with its kind.
    pub async fn scope_words(&mut self) -> Result<Vec<(String, String)>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT DISTINCT 'department' AS kind, department AS word FROM persons WHERE state = 'active' AND department <> ''
             UNION SELECT DISTINCT 'employee_type', employee_type FROM persons WHERE state = 'active' AND employee_type <> ''
             UNION SELECT DISTINCT 'control_scope', control_scope FROM entitlements WHERE control_scope IS NOT NULL AND control_scope <> ''
             ORDER BY 1, 2").fetch_all(c).await)?)
    }
}
