\set target random(:first_target, :last_target)
BEGIN;
SELECT id, scopes, expires_at, revoked_at, organization_id FROM tokens_accesstoken WHERE digest = '@DIGEST@';
SELECT target.deployment_id, target.environment_id, deployment.project_id, target.branch_match, target.branch
FROM deployments_target target JOIN deployments_deployment deployment ON deployment.id = target.deployment_id
WHERE target.id = :target
\gset
INSERT INTO deployments_deploy (
    organization_id, project_id, deployment_id, environment_id, target_id, token_id,
    sha, version, branch, deployed_at, title, author_name, author_email,
    commit_count, file_count, pull_request_count, additions, deletions, created_at, updated_at
) VALUES (
    @ORGANIZATION@, :project_id, :deployment_id, :environment_id, :target, @TOKEN@,
    md5(random()::text), '', '', now(), '', '', '',
    0, 0, 0, 0, 0, now(), now()
) RETURNING id;
COMMIT;
