import { CodedError } from "@workspace/shared-config";
import { App, type StageSynthesisOptions } from "aws-cdk-lib";
import type { CloudAssembly } from "aws-cdk-lib/cx-api";
import { findBypasses } from "./alias-bypasses.ts";

/**
 * An app whose templates are held against CloudFormation's schemas and rules when they are synthesised: what they find
 * is an error, where the CDK by itself only warns of it. So is what would be deployed other than it is written.
 *
 * @param outdir the folder of the assembly. @default one of the CDK's choice
 * @param deployedStacks the names of the stacks that are deployed; another one is refused. @default every stack is
 */
export function createCheckedApp(outdir?: string, deployedStacks?: readonly string[]): App {
  return new CheckedApp(outdir, deployedStacks);
}

class CheckedApp extends App {
  readonly #deployedStacks: readonly string[] | undefined;

  constructor(outdir: string | undefined, deployedStacks: readonly string[] | undefined) {
    super({
      ...(outdir !== undefined && { outdir }),
      analyticsReporting: false,
      // Whoever makes it does: at the end of the process a refusal would be thrown once more.
      autoSynth: false,
      context: { "@aws-cdk/core:validateAgainstDefaultRules": true },
    });
    this.#deployedStacks = deployedStacks;
  }

  /** @throws CodedError `E_CONTEXT_MISSING`, `E_STACK_NOT_DEPLOYED`, `E_ALIAS_BYPASSED` */
  override synth(options?: StageSynthesisOptions): CloudAssembly {
    const assembly = super.synth(options);
    refuseMissingContext(assembly);
    if (this.#deployedStacks !== undefined) refuseOtherStacks(assembly, this.#deployedStacks);
    refuseBypasses(assembly);
    return assembly;
  }
}

/** Nobody looks context up here: the CDK CLI is given an assembly, and in that the CDK has put dummy values. */
function refuseMissingContext({ manifest: { missing = [] } }: CloudAssembly): void {
  if (missing.length === 0) return;
  throw new CodedError({
    code: "E_CONTEXT_MISSING",
    what: "the app looks something up, and would be deployed with dummy values in its place",
    value: missing.map(({ key }) => key),
    remedy:
      "Write down what it would find: `Vpc.fromVpcAttributes` and ids instead of `Vpc.fromLookup`, names of zones, the id of an AMI.",
  });
}

function refuseOtherStacks({ stacksRecursively }: CloudAssembly, deployedStacks: readonly string[]): void {
  const others = stacksRecursively
    .map(({ stackName }) => stackName)
    .filter((stackName) => !deployedStacks.includes(stackName));
  if (others.length === 0) return;
  throw new CodedError({
    code: "E_STACK_NOT_DEPLOYED",
    what: "deploy would not carry these stacks out: it knows the two of each function",
    value: others,
    remedy:
      "Put what belongs to a function into FunctionStack, what functions share into a CDK app of its own, and its names into their settings.",
  });
}

function refuseBypasses({ stacksRecursively }: CloudAssembly): void {
  const bypasses = stacksRecursively.flatMap(({ stackName, template }) =>
    findBypasses(template).map((logicalId) => `${stackName}: ${logicalId}`),
  );
  if (bypasses.length === 0) return;
  throw new CodedError({
    code: "E_ALIAS_BYPASSED",
    what: "resources name the function where only its alias may stand: they would have code run that is not live",
    value: bypasses,
    remedy:
      "Attach them to the alias, as `live.addEventSource(…)` does, and name it with `live.functionArn`.",
  });
}
