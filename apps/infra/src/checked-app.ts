import { App } from "aws-cdk-lib";

/**
 * An app whose templates are held against CloudFormation's schemas and rules when they are synthesised: what they find
 * is an error, where the CDK by itself only warns of it.
 *
 * @param outdir the folder of the assembly. @default one of the CDK's choice
 */
export function createCheckedApp(outdir?: string): App {
  return new App({
    ...(outdir !== undefined && { outdir }),
    analyticsReporting: false,
    context: { "@aws-cdk/core:validateAgainstDefaultRules": true },
  });
}
