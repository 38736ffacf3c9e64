{{- define "onefold.labels" -}}
app.kubernetes.io/name: onefold
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "onefold.selector" -}}
app.kubernetes.io/name: onefold
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "onefold.image" -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- end }}

{{- /* The account of Airflow's image; nothing of the container's disk can be written but what is mounted. */ -}}
{{- define "onefold.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 50000
  runAsGroup: 0
  fsGroup: 50000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "onefold.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- /* The named keys of the secret as files, and the variables that say where: a dict of variable to key. */ -}}
{{- define "onefold.secretVolume" -}}
- name: secrets
  secret:
    secretName: {{ .root.Values.secrets.files }}
    defaultMode: 0440
    items:
      {{- range $key := values .secrets | sortAlpha | uniq }}
      - {key: {{ $key }}, path: {{ $key }}}
      {{- end }}
{{- end }}

{{- define "onefold.secretVariables" -}}
{{- range $variable, $key := .secrets }}
- {name: {{ $variable }}_FILE, value: /run/secrets/{{ $key }}}
{{- end }}
{{- end }}

{{- define "onefold.dns" -}}
- to: {{- toYaml .Values.network.dns | nindent 4 }}
  ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{- end }}

{{- define "onefold.database" -}}
- to: {{- toYaml .Values.network.database.peers | nindent 4 }}
  ports: [{port: {{ .Values.network.database.port }}, protocol: TCP}]
{{- end }}

{{- define "onefold.systems" -}}
- to: {{- toYaml .Values.network.systems.peers | nindent 4 }}
  ports:
    {{- range .Values.network.systems.ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}

{{- define "onefold.uiOfAirflow" -}}
- to: [{podSelector: {matchLabels: {release: {{ .Values.airflowRelease }}, component: api-server}}}]
  ports: [{port: 8080, protocol: TCP}]
{{- end }}
