\set target random(:first_target, :last_target)
BEGIN;
SELECT id, scopes, expires_at, revoked_at, organization_id FROM tokens_accesstoken WHERE digest = '@DIGEST@';
SELECT id, live_deploy_id, branch_match, branch FROM deployments_target WHERE id = :target;
INSERT INTO deployments_deploy (
    organization_id, target_id, token_id, sha, branch, deployed_at, title, author_name, author_email,
    commit_count, file_count, pull_request_count, additions, deletions, created_at, updated_at
) VALUES (
    @ORGANIZATION@, :target, @TOKEN@, md5(random()::text), '', now(), '', '', '',
    0, 0, 0, 0, 0, now(), now()
) RETURNING id;
COMMIT;
