//! What `contrib/` says holds for the program as it is.

use std::process::Command;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::databases::sqlite;
use crate::program::{Place, wait_for};

const UNIT: &str = include_str!("../../contrib/tidewatch.service");
const CONTAINERFILE: &str = include_str!("../../contrib/Containerfile");
const COMPOSE: &str = include_str!("../../contrib/compose.yaml");

/// What `systemd-analyze security` may come to at the most, in tenths.
const EXPOSURE: &str = "15";

const PATIENCE: Duration = Duration::from_secs(30);

/// The program and its options in the lines of the unit that begin with `key`.
fn commands(key: &str) -> Vec<Vec<&str>> {
    let lines = UNIT.lines().filter_map(|line| line.strip_prefix(key));
    lines.map(|line| line.trim_start_matches('-').split(' ').collect()).collect()
}

/// The words of the list in the line of the Containerfile that begins with `key`, on `address`.
fn listed(key: &str, address: &str) -> Vec<String> {
    let list = CONTAINERFILE.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    serde_json::from_str(&list.replace("127.0.0.1:9464", address)).unwrap()
}

#[tokio::test]
async fn the_commands_of_the_unit_tell_a_wrong_configuration_from_a_crash() {
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
fn systemd_takes_the_unit_and_finds_it_well_enclosed() {
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
        // What it does not know it passes over, with the number of the line.
        assert!(!said.contains("tidewatch.service:") || arguments[0] == "security", "{said}");
    }
}

#[tokio::test]
async fn the_commands_of_the_image_start_a_daemon_and_ask_how_it_is() {
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
fn the_database_of_the_compose_file_is_for_this_machine_alone() {
    let lines = COMPOSE.lines().map(str::trim);
    let ports: Vec<_> = lines.filter(|line| line.ends_with(":5432\"")).collect();
    assert_eq!(ports, ["- \"127.0.0.1:5432:5432\""]);
    assert_eq!(COMPOSE.matches("ports:").count(), 1);
}

#[test]
fn settings_are_mounted_as_a_folder_so_that_a_file_that_is_replaced_is_seen() {
    assert!(COMPOSE.lines().any(|line| line.trim() == "- ./config:/etc/tidewatch:ro"));
    assert!(CONTAINERFILE.contains("-v \"$PWD/config:/etc/tidewatch:ro\""));
    for text in [COMPOSE, CONTAINERFILE] {
        assert!(!text.contains("jobs.toml:"), "a file alone");
    }
    assert!(CONTAINERFILE.contains("TIDEWATCH_CONFIG=/etc/tidewatch/jobs.toml"));
}
