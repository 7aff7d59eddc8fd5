{{/* The agent's pod: (list root test). A test pod runs `doctor` as the agent would, and exits. */}}
{{- define "urunner.pod" -}}
{{- $test := index . 1 }}
{{- with index . 0 }}
{{- $claim := and (not $test) .Values.persistence.enabled (not (include "urunner.databaseUrl" .)) }}
{{- $secret := include "urunner.secretName" . }}
{{- $made := and .Values.secret.create (include "urunner.secretData" . | trim) }}
{{- $settings := include "urunner.settings" . }}
{{- $http := and (not $test) (ne (include "urunner.httpPort" .) "0") }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
serviceAccountName: {{ include "urunner.serviceAccountName" . }}
automountServiceAccountToken: {{ include "urunner.inCluster" . }}
enableServiceLinks: false
{{- if $test }}
restartPolicy: Never
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: urunner
    image: {{ include "urunner.image" . | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    {{- if $test }}
    args: [doctor]
    {{- end }}
    {{- with .Values.securityContext }}
    securityContext:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    envFrom:
      - configMapRef:
          name: {{ include "urunner.configMapName" . }}
      {{- if or $made (and (not .Values.secret.create) $secret) }}
      - secretRef:
          name: {{ $secret }}
      {{- end }}
      {{- with .Values.extraEnvFrom }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    env:
      {{- if $settings }}
      - name: URUNNER_CONFIG
        value: /etc/urunner/config/urunner.yaml
      {{- end }}
      {{- if kindIs "slice" .Values.scope }}
      - name: URUNNER_CONF_NAMESPACES
        value: {{ join "," .Values.scope | quote }}
      {{- end }}
      {{- if not (hasKey .Values.config "URUNNER_CONF_PULL_SECRETS") }}
      - name: URUNNER_CONF_PULL_SECRETS
        value: {{ or .Values.rbac.pullSecrets .Values.rbac.readAllSecrets | quote }}
      {{- end }}
      {{- if include "urunner.election" . }}
      - name: URUNNER_CONF_LEADER_ELECTION
        value: "true"
      - name: URUNNER_CONF_LEASE_NAME
        value: {{ include "urunner.fullname" . }}
      {{- end }}
      {{- if .Values.metricsToken.secretName }}
      - name: URUNNER_SECR_METRICS_TOKEN_FILE
        value: /etc/urunner/metrics/token
      {{- end }}
      {{- with .Values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- if $http }}
    ports:
      - name: http
        containerPort: {{ include "urunner.httpPort" . }}
    {{- with .Values.livenessProbe }}
    livenessProbe:
      httpGet: {path: /livez, port: http}
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .Values.readinessProbe }}
    readinessProbe:
      httpGet: {path: /readyz, port: http}
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- end }}
    {{- with .Values.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts:
      - name: tmp
        mountPath: /tmp
      {{- if not (include "urunner.databaseUrl" .) }}
      - name: data
        mountPath: {{ include "urunner.databasePath" . | dir }}
      {{- end }}
      {{- if $settings }}
      - name: settings
        mountPath: /etc/urunner/config
        readOnly: true
      {{- end }}
      {{- range $i, $name := .Values.credentialSecrets }}
      - name: credentials-{{ $i }}
        mountPath: /etc/urunner/secrets/{{ $name }}
        readOnly: true
      {{- end }}
      {{- if .Values.metricsToken.secretName }}
      - name: metrics-token
        mountPath: /etc/urunner/metrics
        readOnly: true
      {{- end }}
      {{- with .Values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
  {{- if not $test }}
  {{- with .Values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
volumes:
  # SQLite's library is unpacked here, and the commands find the agent by a file in this folder.
  - name: tmp
    emptyDir: {sizeLimit: 64Mi}
  {{- if $claim }}
  - name: data
    persistentVolumeClaim:
      claimName: {{ .Values.persistence.existingClaim | default (include "urunner.fullname" .) }}
  {{- else if not (include "urunner.databaseUrl" .) }}
  - name: data
    emptyDir: {sizeLimit: {{ .Values.persistence.emptyDirSize | quote }}}
  {{- end }}
  {{- if $settings }}
  - name: settings
    secret:
      secretName: {{ include "urunner.fullname" . }}-settings
      defaultMode: 288 # 0440
  {{- end }}
  {{- range $i, $name := .Values.credentialSecrets }}
  - name: credentials-{{ $i }}
    secret:
      secretName: {{ $name }}
      defaultMode: 288 # 0440
  {{- end }}
  {{- with .Values.metricsToken }}
  {{- if .secretName }}
  - name: metrics-token
    secret:
      secretName: {{ .secretName }}
      items: [{key: {{ .key | quote }}, path: token}]
      defaultMode: 288 # 0440
  {{- end }}
  {{- end }}
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
