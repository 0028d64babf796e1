import { join } from "node:path";
import { App, CfnOutput, RemovalPolicy, Stack } from "aws-cdk-lib";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { StringParameter } from "aws-cdk-lib/aws-ssm";

/** A stack with an asset. Context: `value` is the parameter's; `taken` adds one that can't be made. */
const app = new App();
const env = { account: "000000000000", region: "eu-central-1" };
const stack = new Stack(app, "small", { env });
const asset = new Asset(stack, "Asset", { path: join(import.meta.dirname, "cdk-app.ts") });
const logs = new LogGroup(stack, "Logs", { logGroupName: "/small", removalPolicy: RemovalPolicy.DESTROY });
const stringValue = app.node.tryGetContext("value") ?? "one";
const parameter = new StringParameter(stack, "Parameter", { parameterName: "/small/value", stringValue });
parameter.node.addDependency(logs);
new CfnOutput(stack, "AssetUrl", { value: asset.s3ObjectUrl });
if (app.node.tryGetContext("taken") !== undefined) {
  const taken = new StringParameter(stack, "Taken", { parameterName: "/taken", stringValue });
  taken.node.addDependency(parameter);
}
