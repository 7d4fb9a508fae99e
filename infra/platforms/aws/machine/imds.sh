# Read by other scripts: what an EC2 instance knows about itself (IMDSv2), and
# requests to AWS in the name of its role.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
# shellcheck shell=sh

imds=http://169.254.169.254/latest

# usage: imds_get PATH
imds_get() {
  imds_token=$(curl -fsS --max-time 5 --retry 5 --retry-all-errors -X PUT \
    -H "X-aws-ec2-metadata-token-ttl-seconds: 60" "$imds/api/token")
  # By standard input: no process list shows it.
  printf 'header = "X-aws-ec2-metadata-token: %s"\n' "$imds_token" |
    curl -fsS --max-time 5 --config - "$imds/meta-data/$1"
}

# A request signed with the role's key (Signature Version 4).
# usage: aws_curl SERVICE REGION CURL-ARGUMENTS...
aws_curl() {
  aws_role=$(imds_get iam/security-credentials/)
  imds_get "iam/security-credentials/$aws_role" |
    python3 -c '
import json, sys
key = json.load(sys.stdin)
print("user = \"%s:%s\"" % (key["AccessKeyId"], key["SecretAccessKey"]))
print("header = \"x-amz-security-token: %s\"" % key["Token"])' |
    {
      aws_service=$1 aws_region=$2
      shift 2
      curl --fail-with-body -sS --aws-sigv4 "aws:amz:$aws_region:$aws_service" --config - "$@"
    }
}
