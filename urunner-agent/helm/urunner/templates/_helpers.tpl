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

{{- define "urunner.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "urunner.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "urunner.metadata" -}}
name: {{ include "urunner.fullname" . }}
namespace: {{ .Release.Namespace }}
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

{{/* The variables of the Secret that is made, those that have a value. */}}
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
The checksum of a text with secrets in it: (list root text). Everybody sees annotations, and guesses what hashes to them. So
the name of the release is the salt, and each guess costs what scrypt does.
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

{{/* The configuration file. Nobody's registry is Docker Hub's, which wants no account. */}}
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

{{/* Whether the pod's ServiceAccount is its way to the API server. */}}
{{- define "urunner.inCluster" -}}
{{- $kubernetes := .Values.settings.kubernetes | default dict }}
{{- ne (.Values.config.URUNNER_CONF_KUBE_AUTH | default $kubernetes.auth | default "incluster") "kubeconfig" }}
{{- end }}

{{/* Whether agents elect the one that acts. */}}
{{- define "urunner.election" -}}
{{- $kubernetes := .Values.settings.kubernetes | default dict }}
{{- if or (gt (int .Values.replicas) 1) (eq (.Values.config.URUNNER_CONF_LEADER_ELECTION | toString | lower) "true") (eq ($kubernetes.leaderElection | toString) "true") -}}
yes
{{- end }}
{{- end }}

{{/* The ports of the registries that have one in their name, after commas. */}}
{{- define "urunner.registryPorts" -}}
{{- $hosts := list (.Values.config.URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH | default "") }}
{{- range concat (.Values.registries | default list) (.Values.settings.registries | default list) }}
{{- $hosts = append $hosts (.host | default "") }}
{{- end }}
{{- $ports := list }}
{{- range $hosts }}
{{- $ports = append $ports (regexReplaceAll "^[^/]*?(:([0-9]+))?(/.*)?$" . "${2}") }}
{{- end }}
{{- $ports | uniq | compact | join "," }}
{{- end }}
