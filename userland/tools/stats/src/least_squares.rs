// SPDX-License-Identifier: GPL-2.0

//! Least squares for a few coefficients.

/// An observation: what the coefficients are of, and what was measured.
pub struct Observation<const N: usize> {
    pub x: [f64; N],
    pub y: f64,
}

/// The coefficients that fit best; none, where the observations don't tell them apart.
pub fn least_squares<const N: usize>(observations: &[Observation<N>]) -> Option<[f64; N]> {
    if observations.len() < N {
        return None;
    }
    // Columns of one size, so that pivots tell what hangs together.
    let scale: [f64; N] = std::array::from_fn(|at| {
        let squares: f64 = observations.iter().map(|one| one.x[at].powi(2)).sum();
        squares.sqrt()
    });
    if scale.iter().any(|scale| !scale.is_normal()) {
        return None;
    }
    let mut left = [[0.0; N]; N];
    let mut right = [0.0; N];
    for Observation { x, y } in observations {
        for row in 0..N {
            let here = x[row] / scale[row];
            right[row] += here * y;
            for column in 0..N {
                left[row][column] += here * x[column] / scale[column];
            }
        }
    }
    let solved = solve(left, right)?;
    Some(std::array::from_fn(|at| solved[at] / scale[at]))
}

/// A pivot below this means that columns hang together, but for rounding and chance.
const SMALLEST_PIVOT: f64 = 1e-6;

/// Cholesky's way; the matrix is symmetric, with ones on its diagonal.
fn solve<const N: usize>(matrix: [[f64; N]; N], right: [f64; N]) -> Option<[f64; N]> {
    let mut lower = [[0.0; N]; N];
    for row in 0..N {
        for column in 0..=row {
            let known: f64 = (0..column)
                .map(|at| lower[row][at] * lower[column][at])
                .sum();
            let rest = matrix[row][column] - known;
            lower[row][column] = match row == column {
                true if rest < SMALLEST_PIVOT => return None,
                true => rest.sqrt(),
                false => rest / lower[column][column],
            };
        }
    }
    let mut middle = [0.0; N];
    for row in 0..N {
        let known: f64 = (0..row).map(|at| lower[row][at] * middle[at]).sum();
        middle[row] = (right[row] - known) / lower[row][row];
    }
    let mut solved = [0.0; N];
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|at| lower[at][row] * solved[at]).sum();
        solved[row] = (middle[row] - known) / lower[row][row];
    }
    Some(solved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed<const N: usize>(
        x: &[[f64; N]],
        of: impl Fn(&[f64; N]) -> f64,
    ) -> Vec<Observation<N>> {
        x.iter().map(|x| Observation { x: *x, y: of(x) }).collect()
    }

    #[test]
    fn coefficients_are_found_again() {
        let x = [
            [0.02, 1.0, 64.0],
            [0.9, 1.0, 64.0],
            [0.03, 1.0, 1500.0],
            [0.95, 1.0, 1500.0],
        ];
        let found = least_squares(&observed(&x, |x| {
            5000.0 * x[0] + 700.0 * x[1] + 0.25 * x[2]
        }))
        .unwrap();
        for (found, expected) in found.into_iter().zip([5000.0, 700.0, 0.25]) {
            assert!(
                (found - expected).abs() < 1e-6 * expected,
                "{found}, not {expected}"
            );
        }
    }

    #[test]
    fn what_hangs_together_is_not_told_apart() {
        let x = [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]];
        assert_eq!(least_squares(&observed(&x, |_| 3.0)), None);
        assert_eq!(least_squares(&observed(&x[..1], |_| 3.0)), None);
    }

    /// By hand: 1, 2, 4 over 0, 1, 2 has the slope 1.5.
    #[test]
    fn a_line_fits_best() {
        let points = [([1.0, 0.0], 1.0), ([1.0, 1.0], 2.0), ([1.0, 2.0], 4.0)];
        let points = points.map(|(x, y)| Observation { x, y });
        let [at_zero, slope] = least_squares(&points).unwrap();
        assert!((slope - 1.5).abs() < 1e-12 && (at_zero - 5.0 / 6.0).abs() < 1e-12);
    }
}
