{{- define "urunner.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "urunner.fullname" -}}
{{- $name := include "urunner.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "urunner.selectorLabels" -}}
app.kubernetes.io/name: {{ include "urunner.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Commands find the agent by its component, regardless of its name. */}}
{{- define "urunner.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "urunner.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
urunner.io/component: agent
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "urunner.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* A label of the metrics that distinguishes this release from others of the same name. */}}
{{- define "urunner.release" -}}
{{ include "urunner.namespace" . }}/{{ include "urunner.fullname" . }}
{{- end }}

{{/* The value that the build filled in for the owner of the chart: (list root key). Empty in a checkout. */}}
{{- define "urunner.project" -}}
{{- $value := get ((index . 0).Files.Get "project.yaml" | fromYaml) (index . 1) }}
{{- if not (hasPrefix "@" $value) }}{{ $value }}{{ end }}
{{- end }}

{{/* The agent's image. A chart without an owner has no default: somebody else could register a name that is not ours. */}}
{{- define "urunner.image" -}}
{{- $repository := .Values.image.repository }}
{{- if not $repository }}
{{- with include "urunner.project" (list . "registry") }}{{ $repository = printf "%s/urunner" . }}{{ end }}
{{- end }}
{{- if not $repository }}
{{- fail (printf "image.repository is not set, and there is no published image to use as a default. Build one, push it to a registry of yours, and set its name:\n\n  ./mvnw -Pimage -Dquick -DskipTests -Dimage.goal=build -Dimage.name=registry.example.com/tools/urunner:%s package\n  helm upgrade --install %s urunner-agent/helm/urunner -n %s --create-namespace --set image.repository=registry.example.com/tools/urunner\n" .Chart.AppVersion .Release.Name .Release.Namespace) }}
{{- end }}
{{- if regexMatch "[:@][^/]*$" $repository }}
{{- fail (printf "image.repository is %s, with a tag or digest: these are image.tag and image.digest" $repository) }}
{{- end }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion | toString) }}
{{- end }}
{{- end }}

{{- define "urunner.metadata" -}}
name: {{ include "urunner.fullname" . }}
namespace: {{ include "urunner.namespace" . }}
labels:
  {{- include "urunner.labels" . | nindent 2 }}
{{- end }}

{{- define "urunner.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "urunner.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "urunner.configMapName" -}}
{{- default (include "urunner.fullname" .) .Values.config.configMapName }}
{{- end }}

{{- define "urunner.secretName" -}}
{{- if .Values.secret.create }}
{{- default (include "urunner.fullname" .) .Values.secret.secretName }}
{{- else }}
{{- .Values.secret.secretName }}
{{- end }}
{{- end }}

{{/* The variables of the Secret that is created, only those that have a value. */}}
{{- define "urunner.secretData" -}}
{{- $s := .Values.secret }}
{{- $all := dict
  "URUNNER_SECR_GITLAB_TOKEN" $s.gitlab.token
  "URUNNER_SECR_GITLAB_AUTH_URL" $s.gitlab.auth_url
  "URUNNER_SECR_HARBOR_USER" $s.harbor.username
  "URUNNER_SECR_HARBOR_PASS" $s.harbor.password
  "URUNNER_SECR_AWS_ACCESS_KEY_ID" $s.aws.access_key_id
  "URUNNER_SECR_AWS_SECRET_ACCESS_KEY" $s.aws.secret_access_key
  "URUNNER_SECR_AWS_REGION" $s.aws.region
  "URUNNER_SECR_DIGITAL_OCEAN_TOKEN" $s.digitalocean.token }}
{{- range $key, $value := mergeOverwrite $all (deepCopy $s.extra) }}
{{- if $value }}
{{ $key }}: {{ $value | toString | b64enc | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The checksum of a text that contains secrets: (list root text). Everybody can read annotations, and try to guess the text behind
a hash. So the name of the release is the salt, and each guess costs as much as scrypt.
*/}}
{{- define "urunner.checksum" -}}
{{- $root := index . 0 }}
{{- derivePassword 1 "maximum" (index . 1) (printf "%s/%s" $root.Release.Namespace $root.Release.Name) "urunner" | sha256sum }}
{{- end }}

{{/* The PostgreSQL database, if there is one. */}}
{{- define "urunner.databaseUrl" -}}
{{- $store := .Values.settings.store | default dict }}
{{- .Values.config.URUNNER_CONF_DATABASE_URL | default $store.url | default "" }}
{{- end }}

{{/* The SQLite file. */}}
{{- define "urunner.databasePath" -}}
{{- $store := .Values.settings.store | default dict }}
{{- $path := .Values.config.URUNNER_CONF_SQLLIGHT_PATH | default $store.path | default "/var/lib/urunner/urunner.db" }}
{{- if not (regexMatch "^/[^/]+/.*[^/]$" $path) }}
{{- fail (printf "config.URUNNER_CONF_SQLLIGHT_PATH: '%s' must be an absolute path below a folder of its own, such as /var/lib/urunner/urunner.db: a volume is mounted at that folder" $path) }}
{{- end }}
{{- $path }}
{{- end }}

{{- define "urunner.httpPort" -}}
{{- $http := .Values.settings.http | default dict }}
{{- $port := 8080 }}
{{- if hasKey .Values.config "URUNNER_CONF_HTTP_PORT" }}{{ $port = .Values.config.URUNNER_CONF_HTTP_PORT }}
{{- else if hasKey $http "port" }}{{ $port = $http.port }}{{ end }}
{{- int $port }}
{{- end }}

{{/* The configuration file. Without any registry it watches Docker Hub, which needs no account. */}}
{{- define "urunner.settings" -}}
{{- $settings := deepCopy .Values.settings }}
{{- if .Values.registries }}
{{- $_ := set $settings "registries" .Values.registries }}
{{- else if not .Values.config.URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH }}
{{- $_ := set $settings "registries" (list (dict "host" "docker.io" "type" "dockerhub")) }}
{{- end }}
{{- if $settings }}
{{- toYaml $settings }}
{{- end }}
{{- end }}

{{/* Whether an object of the Prometheus operator is wanted: (list root enabled kind). */}}
{{- define "urunner.monitoring" -}}
{{- $root := index . 0 }}
{{- $enabled := index . 1 | toString }}
{{- if and (ne (include "urunner.httpPort" $root) "0") (or (eq $enabled "true") (and (eq $enabled "auto") ($root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" (index . 2))))) -}}
yes
{{- end }}
{{- end }}

{{/* Whether the pod uses its ServiceAccount for the API server. */}}
{{- define "urunner.inCluster" -}}
{{- $kubernetes := .Values.settings.kubernetes | default dict }}
{{- ne (.Values.config.URUNNER_CONF_KUBE_AUTH | default $kubernetes.auth | default "incluster") "kubeconfig" }}
{{- end }}

{{/* Whether agents elect a leader. */}}
{{- define "urunner.election" -}}
{{- $kubernetes := .Values.settings.kubernetes | default dict }}
{{- if or (gt (int .Values.replicas) 1) (eq (.Values.config.URUNNER_CONF_LEADER_ELECTION | toString | lower) "true") (eq ($kubernetes.leaderElection | toString) "true") -}}
yes
{{- end }}
{{- end }}

{{/* The ports in the settings, of registries, token servers, databases and proxies, separated by commas. */}}
{{- define "urunner.ports" -}}
{{- $urls := list .Values.config.URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH (include "urunner.databaseUrl" .) .Values.secret.gitlab.auth_url }}
{{- range $name, $value := .Values.secret.extra }}
{{- if regexMatch "_(URL|ENDPOINT)$" $name }}{{ $urls = append $urls $value }}{{ end }}
{{- end }}
{{- range .Values.extraEnv }}
{{- if eq .name "JAVA_TOOL_OPTIONS" }}
{{- range regexFindAll "proxyPort=[0-9]+" (.value | default "") -1 }}{{ $urls = append $urls (replace "proxyPort=" "proxy:" .) }}{{ end }}
{{- end }}
{{- if and .value (regexMatch "^(https?|all)_proxy$" (lower .name)) }}
{{- $urls = append $urls (print "http://" (regexReplaceAll "^[A-Za-z0-9]+://" .value "")) }}
{{- end }}
{{- end }}
{{- range concat (.Values.registries | default list) (.Values.settings.registries | default list) }}
{{- $scheme := ternary "http://" "" (.plainHttp | default false) }}
{{- range concat (list .host (.address | default .host)) (.trustedHosts | default list) }}{{ $urls = append $urls (print $scheme .) }}{{ end }}
{{- range .mirrors }}{{ $urls = append $urls .url }}{{ end }}
{{- $credentials := .credentials | default dict }}
{{- range list "authUrl" "endpoint" }}{{ $urls = append $urls (get $credentials .) }}{{ end }}
{{- end }}
{{- $ports := list }}
{{- range $urls }}
{{- $url := . | default "" | toString }}
{{- range splitList "," (regexReplaceAll "^([A-Za-z:]+://)?([^/@]*@)?([^/?]*).*$" $url "${3}") }}
{{- $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default (ternary "80" "" (hasPrefix "http://" $url))) }}
{{- end }}
{{- end }}
{{- $ports | uniq | compact | join "," }}
{{- end }}

{{/* How Prometheus reads the metrics of a pod: (list root monitor). */}}
{{- define "urunner.endpoint" -}}
{{- $monitor := index . 1 }}
{{- with index . 0 }}
port: http
path: /metrics
honorLabels: true
interval: {{ $monitor.interval }}
relabelings:
  # The alerts select this release by it: the label `namespace` is that of the workloads.
  - {action: replace, targetLabel: urunner_release, replacement: {{ include "urunner.release" . }}}
{{- if .Values.metricsToken.secretName }}
authorization:
  credentials: {name: {{ .Values.metricsToken.secretName }}, key: {{ .Values.metricsToken.key | quote }}}
{{- else if and .Values.secret.create (hasKey .Values.secret.extra "URUNNER_SECR_METRICS_TOKEN") }}
authorization:
  credentials: {name: {{ include "urunner.secretName" . }}, key: URUNNER_SECR_METRICS_TOKEN}
{{- end }}
{{- end }}
{{- end }}
