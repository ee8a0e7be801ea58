// The mathematics of the explorable figures: random numbers, the kernel, conditioning, scores.
// Matrices are arrays of rows. tests/book/test_explore.py compares every function with ntkal.
"use strict";

const explore = (() => {
  /** A stream of uniform numbers in [0, 1), the same for the same integer seed (mulberry32). */
  function uniform(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let z = Math.imul(state ^ (state >>> 15), 1 | state);
      z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
      return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
    };
  }

  /** A stream of standard normal numbers from a uniform one (Box and Muller). */
  function normal(draw) {
    return () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  }

  /** An n x m matrix with the entries f(i, j). */
  function matrix(n, m, f) {
    return Array.from({ length: n }, (_, i) => Array.from({ length: m }, (_, j) => f(i, j)));
  }

  /** The position of the largest entry; the first of them in a tie. */
  function argmax(values) {
    let best = 0;
    for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
    return best;
  }

  /**
   * The neural tangent kernel of one infinitely wide hidden layer of ReLU units, with weight and bias
   * variance 2 (chapter 4): with k = 2 + 2 x.z / d and alpha the angle that belongs to k,
   *   NTK = 2 + (sqrt(k(x,x) k(z,z)) sin(alpha) + 2 (pi - alpha) k) / pi.
   */
  function kernel(x, z) {
    const d = x.length;
    let k = 2;
    let squares = 0; // of the cross product: k(x,x) k(z,z) sin(alpha)^2 without cancellation
    for (let i = 0; i < d; i++) {
      k += (2 * x[i] * z[i]) / d;
      squares += (4 * (x[i] - z[i]) ** 2) / d;
      for (let j = 0; j < i; j++) squares += ((2 * (x[i] * z[j] - x[j] * z[i])) / d) ** 2;
    }
    const sine = Math.sqrt(squares);
    return 2 + (sine + 2 * (Math.PI - Math.atan2(sine, k)) * k) / Math.PI;
  }

  /** The kernel matrix between two lists of inputs. */
  function ntk(X, Z) {
    return matrix(X.length, Z.length, (i, j) => kernel(X[i], Z[j]));
  }

  /** The lower triangular L with L L' = K + ridge I. */
  function cholesky(K, ridge) {
    const L = matrix(K.length, K.length, () => 0);
    for (let i = 0; i < K.length; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = K[i][j] + (i === j ? ridge : 0);
        for (let l = 0; l < j; l++) sum -= L[i][l] * L[j][l];
        if (i === j && !(sum > 0)) throw new RangeError("the kernel matrix is singular: use a larger ridge");
        L[i][j] = i === j ? Math.sqrt(sum) : sum / L[j][j];
      }
    }
    return L;
  }

  /** L^-1 B by forward substitution. */
  function forward(L, B) {
    const X = B.map((row) => row.slice());
    for (let i = 0; i < L.length; i++) {
      for (let c = 0; c < X[i].length; c++) {
        for (let l = 0; l < i; l++) X[i][c] -= L[i][l] * X[l][c];
        X[i][c] /= L[i][i];
      }
    }
    return X;
  }

  /** L'^-1 B by backward substitution. */
  function backward(L, B) {
    const X = B.map((row) => row.slice());
    for (let i = L.length - 1; i >= 0; i--) {
      for (let c = 0; c < X[i].length; c++) {
        for (let l = i + 1; l < L.length; l++) X[i][c] -= L[l][i] * X[l][c];
        X[i][c] /= L[i][i];
      }
    }
    return X;
  }

  /** The product A'B. */
  function cross(A, B) {
    return matrix(A[0].length, B[0].length, (i, j) => {
      let sum = 0;
      for (let l = 0; l < A.length; l++) sum += A[l][i] * B[l][j];
      return sum;
    });
  }

  /** The weights (K + ridge I)^-1 Y with which the labels Y reach every other input. */
  function weights(K, Y, ridge) {
    const L = cholesky(K, ridge);
    return backward(L, forward(L, Y));
  }

  /** Mean and covariance over a pool, for a network that puts out zero before training (chapter 9). */
  function condition(Kll, Klp, Kpp, Y, ridge) {
    const L = cholesky(Kll, ridge);
    const V = forward(L, Klp);
    const explained = cross(V, V);
    const cov = Kpp.map((row, u) => row.map((value, c) => value - explained[u][c]));
    return { mean: cross(V, forward(L, Y)), cov, ridge };
  }

  /** The same once candidate c has the label vector y: M + S_c (y - M_c) / (S_cc + ridge), and S likewise. */
  function reveal({ mean, cov, ridge }, c, y) {
    const free = cov[c][c] + ridge;
    const surprise = y.map((value, k) => value - mean[c][k]);
    return {
      mean: mean.map((row, u) => row.map((value, k) => value + (cov[u][c] * surprise[k]) / free)),
      cov: cov.map((row, u) => row.map((value, v) => value - (cov[u][c] * cov[c][v]) / free)),
      ridge,
    };
  }

  /** The one-hot vector of a class. */
  function oneHot(label, classes) {
    return Array.from({ length: classes }, (_, k) => (k === label ? 1 : 0));
  }

  /** Minus the gap between the two largest probabilities; outputs are clipped at zero and normalised. */
  function margin(mean) {
    return mean.map((row) => {
      const clipped = row.map((value) => Math.max(value, 0));
      const total = clipped.reduce((a, b) => a + b, 0);
      const sorted = clipped.map((value) => (total > 0 ? value / total : 1 / row.length)).sort((a, b) => b - a);
      return sorted[1] - sorted[0];
    });
  }

  /** MLMOC (chapter 11): predictions that flip under the most likely label, ties broken by the norm form. */
  function mlmoc({ mean, cov, ridge }) {
    const classes = mean[0].length;
    const present = mean.map(argmax);
    const norms = [];
    const flips = mean.map((row, c) => {
      const free = cov[c][c] + ridge;
      const surprise = oneHot(present[c], classes).map((value, k) => value - row[k]);
      let reach = 0;
      let count = 0;
      for (let u = 0; u < mean.length; u++) {
        const w = cov[u][c] / free;
        reach += Math.abs(w);
        let best = 0;
        for (let k = 1; k < classes; k++) {
          if (mean[u][k] + w * surprise[k] > mean[u][best] + w * surprise[best]) best = k;
        }
        if (best !== present[u]) count++;
      }
      norms.push(Math.hypot(...surprise) * reach);
      return count;
    });
    const largest = Math.max(...norms);
    return flips.map((count, c) => count + (largest > 0 ? (0.5 * norms[c]) / largest : 0));
  }

  return { uniform, normal, matrix, argmax, ntk, cholesky, cross, weights, condition, reveal, oneHot, margin, mlmoc };
})();
