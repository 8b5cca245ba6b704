use xcap_lab::{cache::Cache, kernel::Kernel, module};
fn main() -> anyhow::Result<()> {
    let cache = Cache::open()?;
    let kernel = Kernel::ensure(&cache, std::env::var("KERNEL").ok().as_deref())?;
    println!("{kernel:?}");
    println!("{:?}", module::build(&cache, &kernel, &std::env::current_dir()?, module::Lints::Compiler)?);
    println!("{:?}", module::build(&cache, &kernel, &std::env::current_dir()?, module::Lints::Clippy)?);
    module::check_format(&kernel, &std::env::current_dir()?)
}
