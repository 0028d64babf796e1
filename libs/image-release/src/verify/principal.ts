/**
 * The IAM principal of a caller, as the policy simulator wants it: the role of a session. A session's ARN leaves the
 * role's path out, so a role with a path is not found by it.
 * @returns `undefined` for a caller that has no policies of its own, such as the root user
 */
export function findPrincipal(callerArn: string): string | undefined {
  const session = /^arn:([\w-]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(callerArn);
  if (session !== null) return `arn:${session[1]}:iam::${session[2]}:role/${session[3]}`;
  return /^arn:[\w-]+:iam::\d+:(?:user|role)\//.test(callerArn) ? callerArn : undefined;
}
