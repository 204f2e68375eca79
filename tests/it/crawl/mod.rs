//! The daemon and one-shot runs: slots, admission, outages, crashes, reloads, signals.

mod admission;
mod backlogs;
mod chaos;
mod clocks;
mod coverage;
mod crash;
mod one_shot;
mod outages;
mod reload;
mod schedules;
mod signals;
mod slots;
mod week;
mod wrong_clocks;
