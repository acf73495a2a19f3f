//! When people of a country work, as published.

use domain::{CatalogueVersionId, StageId};

use crate::engine::{Error, Tx};

impl Tx {
    /// Replaces all calendars by these: a country as the directory writes it, and its calendar as JSON.
    pub async fn set_calendars(
        &mut self,
        edition: CatalogueVersionId,
        calendars: &[(String, String)],
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM calendars").execute(c).await.map(drop))?;
        for (country, calendar) in calendars {
            on!(self, c => sqlx::query(
                "INSERT INTO calendars (country, calendar, catalogue_version_id) VALUES ($1, $2, $3)")
                .bind(country).bind(calendar).bind(edition.0).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    /// The different calendars of those seated in a stage, as JSON; none for countries without one.
    pub async fn calendars_of_stage(
        &mut self,
        stage: StageId,
    ) -> Result<Vec<Option<String>>, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT DISTINCT k.calendar FROM seats s JOIN persons p ON p.id = s.person_id
               LEFT JOIN calendars k ON k.country = p.country
             WHERE s.stage_id = $1 ORDER BY k.calendar NULLS FIRST")
            .bind(stage.0).fetch_all(c).await)?)
    }
}
