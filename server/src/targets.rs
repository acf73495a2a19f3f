//! The connectors of the targets that the configuration names.

use std::sync::Arc;

use provisioner::{connector::Connector, ldap};
use workflow::Clock;

use crate::config::{Config, TargetSettings};

/// One connector for each target that has one of its own, by the target's key.
///
/// # Errors
/// Names the target of which none can be made.
pub fn connectors(
    config: &Config,
    clock: &Clock,
) -> Result<Vec<(String, Arc<dyn Connector>)>, String> {
    let mut connectors: Vec<(String, Arc<dyn Connector>)> = Vec::new();
    for target in &config.targets {
        match &target.settings {
            TargetSettings::Manual => {}
            TargetSettings::Ldap(settings) => {
                let client = ldap::Client::new((**settings).clone())
                    .map_err(|why| format!("target {}: {why}", target.key))?;
                let groups = ldap::Groups::new(client, clock.clone());
                connectors.push((target.key.clone(), Arc::new(groups)));
            }
        }
    }
    Ok(connectors)
}
