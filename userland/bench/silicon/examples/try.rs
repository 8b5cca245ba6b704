use xcap_silicon::{cpu::*, unit::*, variant::*};
fn main() {
    let reps: usize = std::env::args().nth(1).map_or(41, |a| a.parse().unwrap());
    let mut cpu = Cpu::enter(1).unwrap();
    let calls = 2003;
    for returns in Returns::ALL {
        let unit = returns.unit();
        for callers in Callers::ALL {
            println!("{} {}", returns.word(), callers.word());
            let n = Variant::ALL.len() + 1;
            let mut best = vec![vec![u64::MAX; DEPTHS.len()]; n];
            let mut empty = u64::MAX;
            for _ in 0..reps {
                for d in 0..DEPTHS.len() {
                    let driver = unit.driver(callers, d);
                    unsafe {
                        cpu.run(driver, 300);
                        empty = empty.min(cpu.run(unit.empty, calls));
                        cpu.run(driver, 300);
                        best[0][d] = best[0][d].min(cpu.run(driver, calls));
                    }
                    for (v, variant) in Variant::ALL.into_iter().enumerate() {
                        let p = variant.install(unit, &mut cpu).unwrap();
                        unsafe {
                            cpu.run(driver, 300);
                            best[v + 1][d] = best[v + 1][d].min(cpu.run(driver, calls));
                        }
                        if let Some(c) = variant.counted(&cpu) {
                            assert_eq!(c, (calls + 300) * callers.hits());
                        }
                        assert!(cpu.is_balanced());
                        drop(p);
                    }
                }
            }
            println!("empty {:.1}", empty as f64 / calls as f64);
            for v in 0..n {
                print!("{:24}", if v == 0 { "unprobed" } else { Variant::ALL[v - 1].word() });
                for d in 0..DEPTHS.len() {
                    let per = |t: u64| t as f64 / calls as f64 / callers.hits() as f64;
                    let x = per(best[v][d]) - if v == 0 { 0.0 } else { per(best[0][d]) };
                    print!("{x:8.1}");
                }
                println!();
            }
        }
    }
}
