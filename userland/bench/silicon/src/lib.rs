pub mod cpu;
pub mod site;
pub mod unit;
pub mod variant;
