# Functions shared by the scripts in this folder. Registering again updates the settings of existing components.

# component TYPE NAME FLAVOR [--setting=value...]: one component of a stack.
component() {
    type=$1 name=$2 flavor=$3
    shift 3
    if zenml "$type" describe "$name" > /dev/null 2>&1; then
        [ $# -eq 0 ] || zenml "$type" update "$name" "$@"
    else
        zenml "$type" register "$name" --flavor "$flavor" "$@"
    fi
}

# stack NAME --orchestrator X --artifact-store Y...: a stack of those components, which becomes the active one.
stack() {
    name=$1
    shift
    if zenml stack describe "$name" > /dev/null 2>&1; then
        zenml stack update "$name" "$@"
    else
        zenml stack register "$name" "$@"
    fi
    zenml stack set "$name"
}

# needs VARIABLE MEANING: ends with one line if the variable is not set.
needs() {
    eval "value=\${$1:-}"
    [ -n "$value" ] || { echo "set $1: $2" >&2; exit 2; }
}

# s3_store: the artifact store "vision_zero_s3" in $BUCKET, with the keys of the environment kept as a ZenML secret.
s3_store() {
    needs BUCKET "where artifacts go, such as s3://my-bucket/vision-zero"
    needs AWS_ACCESS_KEY_ID "the key that may write there"
    needs AWS_SECRET_ACCESS_KEY "its secret"
    # Through a file that only this user may read: arguments can be seen by everybody on the machine.
    keys=$(mktemp)
    trap 'rm -f "$keys"' EXIT
    trap 'exit 1' HUP INT TERM   # in some shells these end a script without EXIT
    printf '{"aws_access_key_id": "%s", "aws_secret_access_key": "%s"}' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" > "$keys"
    if zenml secret get vision_zero_s3 > /dev/null 2>&1; then
        zenml secret update vision_zero_s3 --values "@$keys"
    else
        zenml secret create vision_zero_s3 --values "@$keys"
    fi
    set -- --path="$BUCKET" --authentication_secret=vision_zero_s3
    if [ -n "${ENDPOINT:-}" ]; then
        set -- "$@" --client_kwargs="{\"endpoint_url\": \"$ENDPOINT\", \"region_name\": \"${AWS_REGION:-us-east-1}\"}"
    fi
    component artifact-store vision_zero_s3 s3 "$@"
}
