import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/**
 * Says why a policy names a resource with a wildcard. The finding of cdk-nag names that very resource, so that another
 * wildcard in the same policy is still found.
 * @param resource as cdk-nag writes it, with `<AWS::Partition>` for a reference
 */
export function acknowledgeWildcard(scope: IConstruct, resource: string, reason: string): void {
  Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
}
