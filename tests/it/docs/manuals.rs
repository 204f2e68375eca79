//! Shell completions, manual pages and the JSON Schema.

use std::process::Command;

use crate::databases::sqlite;
use crate::program::Place;

/// stdout of a successful command.
async fn told(place: &Place, arguments: &[&str]) -> String {
    place.write("stdout", "");
    assert_eq!(place.run(arguments).await, 0, "{}", place.said());
    std::fs::read_to_string(place.output("stdout")).unwrap()
}

/// The verbs listed by the help.
async fn verbs(place: &Place) -> Vec<String> {
    let help = told(place, &["--help"]).await;
    let (_, rest) = help.split_once("Commands:\n").unwrap();
    let lines = rest.lines().take_while(|line| line.starts_with("  "));
    // Continuation lines are indented further.
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[tokio::test]
async fn completions_contain_every_verb() {
    let place = Place::new(&sqlite(), "");
    let verbs = verbs(&place).await;
    assert!(verbs.len() > 10, "{verbs:?}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = told(&place, &["completions", shell]).await;
        for verb in &verbs {
            assert!(script.contains(verb.as_str()), "{shell} does not know {verb}");
        }
    }
    // In a file: the script is longer than an argument may be.
    place.write("completed", &told(&place, &["completions", "bash"]).await);
    let script = place.output("completed");
    let completed = "COMP_WORDS=(tidewatch chec); COMP_CWORD=1; _tidewatch tidewatch chec tidewatch; \
                     echo ${COMPREPLY[@]}";
    let bash = Command::new("bash")
        .args(["-c", &format!("source '{}'\n{completed}", script.display())])
        .output();
    assert_eq!(String::from_utf8(bash.unwrap().stdout).unwrap(), "check\n");
}

#[tokio::test]
async fn manual_has_a_page_per_verb() {
    let place = Place::new(&sqlite(), "");
    let page = told(&place, &["man"]).await;
    assert!(page.contains(".TH tidewatch 1") && page.contains("JUSTONEAPI_TOKEN"), "{page}");
    told(&place, &["man", "pages/man1"]).await;
    for verb in verbs(&place).await {
        let page = place.output("pages/man1").join(format!("tidewatch-{verb}.1"));
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains(".SH DESCRIPTION"), "{verb}: {page}");
    }
    assert!(place.output("pages/man1/tidewatch.1").exists());
    place.write("file", "");
    assert_eq!(place.run(&["man", "file/man1"]).await, 2);
    assert!(place.said().contains("cannot write the pages into file/man1"), "{}", place.said());
}

#[tokio::test]
async fn schema_is_valid_and_init_mentions_it() {
    let place = Place::new(&sqlite(), "");
    let schema: serde_json::Value = told(&place, &["schema"]).await.parse().unwrap();
    assert!(schema["$defs"]["JobEntry"]["properties"]["schedule"].is_object(), "{schema}");
    let said = told(&place, &["init", "--config", "new.toml"]).await;
    assert!(said.contains("#:schema ./jobs.schema.json"), "{said}");
    let written = std::fs::read_to_string(place.output("new.toml")).unwrap();
    assert!(written.contains("tidewatch schema > jobs.schema.json"));
}
