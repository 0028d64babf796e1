/**
 * What every container CLI is started with. Where Amazon's helper looks after a registry's credentials, a login has
 * nothing to do, and the helper fails it unless it is told so.
 * @see https://github.com/awslabs/amazon-ecr-credential-helper#environment-variables
 */
export const containerCliEnvironment = { AWS_ECR_IGNORE_CREDS_STORAGE: "true" } as const;
