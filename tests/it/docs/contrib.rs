//! The files of `contrib/` work with the program.

use std::process::Command;

use tokio::net::TcpListener;

use crate::databases::sqlite;
use crate::program::{PATIENCE, Place, wait_for};

const UNIT: &str = include_str!("../../../contrib/tidewatch.service");
const CONTAINERFILE: &str = include_str!("../../../contrib/Containerfile");
const COMPOSE: &str = include_str!("../../../contrib/compose.yaml");

/// Maximum exposure in `systemd-analyze security`, in tenths.
const EXPOSURE: &str = "15";

/// Program and arguments in the lines of the unit that start with `key`.
fn commands(key: &str) -> Vec<Vec<&str>> {
    let lines = UNIT.lines().filter_map(|line| line.strip_prefix(key));
    lines.map(|line| line.trim_start_matches('-').split(' ').collect()).collect()
}

/// The list in the line of the Containerfile that starts with `key`, with another address.
fn listed(key: &str, address: &str) -> Vec<String> {
    let list = CONTAINERFILE.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    serde_json::from_str(&list.replace("127.0.0.1:9464", address)).unwrap()
}

#[tokio::test]
async fn unit_commands_distinguish_misconfiguration() {
    let (database, program) = (sqlite(), "/usr/local/bin/tidewatch");
    assert_eq!(commands("ExecStartPre="), [[program, "check"]]);
    assert_eq!(commands("ExecStart="), [[program, "run"]]);
    assert_eq!(
        commands("ExecReload="),
        [&[program, "check"][..], &["/bin/kill", "-HUP", "$MAINPID"]]
    );
    let wrong = Place::new(&database, "[[job]]\nname = 5\n");
    for verb in ["check", "run"] {
        assert_eq!(wrong.run(&[verb]).await, 78, "{}", wrong.said());
    }
    for line in
        ["Type=notify", "RestartPreventExitStatus=78", "Environment=JUSTONEAPI_TOKEN_FILE=%d/token"]
    {
        assert!(UNIT.lines().any(|it| it == line), "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn unit_is_valid_and_sandboxed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tidewatch.service");
    let unit = UNIT.replace("/usr/local/bin/tidewatch", env!("CARGO_BIN_EXE_tidewatch"));
    std::fs::write(&path, unit).unwrap();
    for arguments in
        [&["verify"][..], &["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE]]
    {
        let done = Command::new("systemd-analyze").args(arguments).arg(&path).output();
        let done =
            done.expect("there is no systemd-analyze: run the tests with `bash tests/run.sh`");
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(done.status.success(), "{arguments:?}: {said}");
        // It ignores unknown settings, with a message that has the line number.
        assert!(!said.contains("tidewatch.service:") || arguments[0] == "security", "{said}");
    }
}

#[tokio::test]
async fn image_commands_run_and_check_a_daemon() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let (run, mut check) = (listed("CMD ", &free), listed("    CMD ", &free));
    assert_eq!(check.remove(0), listed("ENTRYPOINT ", &free).remove(0));
    let run: Vec<_> = run.iter().map(String::as_str).collect();
    let check: Vec<_> = check.iter().map(String::as_str).collect();
    let (database, jobs) = (sqlite(), "# nothing to watch yet\n");
    let place = Place::new(&database, jobs);
    assert_eq!(place.run(&check).await, 1, "nobody is there");
    let daemon = place.start(&run);
    wait_for("the daemon to be healthy", PATIENCE, async || place.run(&check).await == 0).await;
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
    assert!(CONTAINERFILE.lines().any(|line| line == "USER 65532:65532"));
}

#[test]
fn compose_database_listens_on_loopback() {
    let lines = COMPOSE.lines().map(str::trim);
    let ports: Vec<_> = lines.filter(|line| line.ends_with(":5432\"")).collect();
    assert_eq!(ports, ["- \"127.0.0.1:5432:5432\""]);
    assert_eq!(COMPOSE.matches("ports:").count(), 1);
}

#[test]
fn compose_mounts_the_settings_folder() {
    assert!(COMPOSE.lines().any(|line| line.trim() == "- ./config:/etc/tidewatch:ro"));
    assert!(CONTAINERFILE.contains("-v \"$PWD/config:/etc/tidewatch:ro\""));
    for text in [COMPOSE, CONTAINERFILE] {
        assert!(!text.contains("jobs.toml:"), "a file alone");
    }
    assert!(CONTAINERFILE.contains("TIDEWATCH_CONFIG=/etc/tidewatch/jobs.toml"));
}
