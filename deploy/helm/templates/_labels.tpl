{{- define "vestibule.pods" -}}
app.kubernetes.io/name: vestibule
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- /* Not the labels of the pods that serve: a Service would lead browsers to a backup. */ -}}
{{- define "vestibule.backups" -}}
app.kubernetes.io/name: vestibule-backup
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "vestibule.labels" -}}
{{ include "vestibule.pods" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- /* The hosts of the public address and of the apps, each once, as JSON. */ -}}
{{- define "vestibule.hosts" -}}
{{- $hosts := list (include "vestibule.host" .) -}}
{{- range $name, $file := .Values.apps -}}
{{- $address := regexFind `(?m)^\s*address\s*=\s*["'][^"']+` $file -}}
{{- if not $address }}{{ fail (printf "apps.%s has no address: write address = \"https://%s.example.org\"" $name $name) }}{{ end -}}
{{- $hosts = append $hosts (urlParse (regexReplaceAll `^.*["']` $address "")).hostname -}}
{{- end -}}
{{- $hosts | uniq | toJson -}}
{{- end }}

{{- /* The public address, for what leads browsers here or asks as they do, and its host. */ -}}
{{- define "vestibule.address" -}}
{{- .Values.settings.VESTIBULE_PUBLIC_URL | required "settings.VESTIBULE_PUBLIC_URL is missing: the address that people type" -}}
{{- end }}

{{- define "vestibule.host" -}}
{{- (urlParse (include "vestibule.address" .)).hostname -}}
{{- end }}

{{- define "vestibule.restricted" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end }}

{{- define "vestibule.secretFiles" -}}
- name: VESTIBULE_DATABASE_URL_FILE
  value: /run/secrets/vestibule/database-url
- name: VESTIBULE_REDIS_URL_FILE
  value: /run/secrets/vestibule/redis-url
- name: VESTIBULE_SECRET_KEY_FILE
  value: /run/secrets/vestibule/secret-key
{{- end }}
