/**
 * The element that a policy must have and hasn't: `Statement`, or one of those that each statement needs. `NotAction`
 * and its like stand for `Action` and its like.
 * @param document as it was read from JSON
 * @returns undefined where nothing is missing
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function findMissingElement(
  document: unknown,
  needed: readonly ("Principal" | "Resource")[],
): string | undefined {
  const { Statement } = Object(document);
  if (Statement === undefined) return "Statement";
  const statements = [Statement].flat().map(Object);
  return ["Effect", "Action", ...needed].find((name) =>
    statements.some((statement) => !(name in statement || `Not${name}` in statement)),
  );
}
