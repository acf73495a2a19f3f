//! The connectors of the targets that the configuration names.

use std::sync::Arc;

use provisioner::{
    connector::Connector,
    http, ldap,
    scim::{self, Scim},
    webhook::{self, Webhook},
};
use workflow::Clock;

use crate::{
    config::{Config, Target, TargetSettings},
    web::Callbacks,
};

/// A connector with the key of its target.
pub type Hand = (String, Arc<dyn Connector>);

/// One connector for each target that has one of its own, by the target's key.
///
/// # Errors
/// Names the target of which none can be made.
pub fn connectors(config: &Config, clock: &Clock) -> Result<Vec<Hand>, String> {
    let mut connectors = Vec::new();
    for target in &config.targets {
        let made = connector(target, &config.server.public_url, clock)
            .map_err(|why| format!("target {}: {why}", target.key))?;
        connectors.extend(made.map(|connector| (target.key.clone(), connector)));
    }
    Ok(connectors)
}

/// The connector of one target; none where people do it.
fn connector(
    target: &Target,
    public_url: &str,
    clock: &Clock,
) -> Result<Option<Arc<dyn Connector>>, String> {
    let http = || http::client(&http::Options::default()).map_err(|error| error.to_string());
    Ok(match &target.settings {
        TargetSettings::Manual => None,
        TargetSettings::Ldap(settings) => {
            let client = ldap::Client::new((**settings).clone()).map_err(|why| why.to_string())?;
            Some(Arc::new(ldap::Groups::new(client, clock.clone())))
        }
        TargetSettings::Scim {
            address,
            token,
            leaver,
            match_by,
        } => {
            let client = scim::Client::new(http()?, address.clone(), token.expose().to_owned());
            let options = scim::Options {
                leaver: *leaver,
                match_by: *match_by,
            };
            Some(Arc::new(Scim::new(client, options)))
        }
        TargetSettings::Webhook { address, secret } => Some(Arc::new(Webhook::new(
            http()?,
            clock.clone(),
            webhook::Options {
                address: address.clone(),
                secret: secret.clone(),
                callback: format!("{public_url}/callbacks/{}", target.key),
            },
        ))),
    })
}

/// The secrets that receivers of webhooks sign with.
pub fn callbacks(config: &Config) -> Callbacks {
    config
        .targets
        .iter()
        .filter_map(|target| match &target.settings {
            TargetSettings::Webhook { secret, .. } => Some((target.key.clone(), secret.clone())),
            TargetSettings::Manual | TargetSettings::Ldap(_) | TargetSettings::Scim { .. } => None,
        })
        .collect()
}
