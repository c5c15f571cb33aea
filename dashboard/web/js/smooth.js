// smooth is an exponential moving average that counts what came before as
// nothing rather than as 0, so that it begins at the first value. null is passed
// over. weight 0 changes nothing.
export function smooth(values, weight) {
  if (weight <= 0) return values;
  let sum = 0, mass = 0;
  return values.map((v) => {
    if (v == null) return null;
    sum = weight * sum + (1 - weight) * v;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
}
