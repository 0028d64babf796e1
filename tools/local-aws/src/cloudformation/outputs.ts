import { evaluate, evaluateCondition, type Scope } from "./intrinsics.ts";
import type { Stack, Stacks } from "./stack.ts";
import type { Template } from "./template.ts";

export function evaluateOutputs(template: Template, scope: Scope): Stack["outputs"] {
  return Object.entries(template.Outputs ?? {}).flatMap(
    ([OutputKey, { Value, Description, Condition, Export }]) => {
      if (Condition !== undefined && !evaluateCondition(Condition, scope)) return [];
      const ExportName = Export && String(evaluate(Export.Name, scope));
      return [{ OutputKey, OutputValue: String(evaluate(Value, scope)), Description, ExportName }];
    },
  );
}

/**
 * What one stack exports is no other's to export, and stays as it is while another stack uses it.
 * @throws Error with CloudFormation's own words
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
 */
export function checkExports(stack: Stack, outputs: Stack["outputs"], stacks: Stacks): void {
  const others = stacks.list().filter(({ id }) => id !== stack.id);
  const exported = new Map(outputs.map(({ ExportName, OutputValue }) => [ExportName, OutputValue]));
  for (const other of others) {
    const taken = other.outputs.find(
      ({ ExportName }) => ExportName !== undefined && exported.has(ExportName),
    );
    if (taken !== undefined)
      throw new Error(`Export with name ${taken.ExportName} is already exported by stack ${other.name}`);
  }
  for (const { ExportName, OutputValue } of stack.outputs) {
    const user = others.find(({ imports }) => ExportName !== undefined && imports.includes(ExportName));
    if (user === undefined || exported.get(ExportName) === OutputValue) continue;
    const change = exported.has(ExportName) ? "updated" : "deleted";
    throw new Error(`Export ${ExportName} cannot be ${change} as it is in use by ${user.name}`);
  }
}
