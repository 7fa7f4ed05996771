//! kafka-backup-core with a configuration file, as bench/kafka runs it.
use kafka_backup_core::backup::BackupEngine;
use kafka_backup_core::config::Mode;
use kafka_backup_core::{Config, RestoreEngine};

fn main() {
    let path = std::env::args().nth(1).expect("usage: kafka-backup-peer CONFIG");
    let text = std::fs::read_to_string(path).expect("the configuration");
    let config: Config = serde_yaml::from_str(&text).expect("the configuration");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match config.mode {
            Mode::Backup => BackupEngine::new(config).await.expect("an engine").run().await.expect("a backup"),
            Mode::Restore => {
                RestoreEngine::new(config).expect("an engine").run().await.expect("a restore");
            }
        }
    });
}
