CREATE INDEX jodo_s_student_ids_read_key ON jodo_s_student_ids (tenant, ('erp:' || identifier));

-- The same keys as in `jodo_pupil_keys`, in a form that finds the pupils of one `read_key` in the indexes: whoever looks up one
-- pupil does not go through all of them.
CREATE VIEW jodo_i_read_keys AS
SELECT s.tenant, s.pupil_key, s.pupil_key AS read_key
FROM jodo_r_students s
WHERE substr(s.pupil_key, 1, 5) <> 'jodo:'
   OR (SELECT count(*) FROM jodo_s_student_ids i
       WHERE i.tenant = s.tenant AND i.jodo_student_id = substr(s.pupil_key, 6) AND i.identifier <> '') <> 1
UNION ALL
SELECT i.tenant, s.pupil_key, 'erp:' || i.identifier
FROM jodo_s_student_ids i
JOIN jodo_r_students s ON s.tenant = i.tenant AND s.pupil_key = 'jodo:' || i.jodo_student_id
WHERE i.identifier <> ''
  AND NOT EXISTS (SELECT 1 FROM jodo_s_student_ids o
                  WHERE o.tenant = i.tenant AND o.jodo_student_id = i.jodo_student_id
                    AND o.identifier <> '' AND o.identifier <> i.identifier);

CREATE OR REPLACE VIEW jodo_students AS
SELECT k.tenant,
       k.read_key AS pupil_key,
       substr(max(s.identifier_clock || s.identifier), 33) AS identifier,
       substr(max(s.jodo_student_id_clock || s.jodo_student_id), 33) AS jodo_student_id,
       substr(max(s.custom_identifier_clock || s.custom_identifier), 33) AS custom_identifier,
       substr(max(s.collector_code_clock || s.collector_code), 33) AS collector_code,
       substr(max(s.fullname_clock || s.fullname), 33) AS fullname,
       substr(max(s.grade_code_clock || s.grade_code), 33) AS grade_code,
       substr(max(s.grade_name_clock || s.grade_name), 33) AS grade_name,
       cast(substr(max(s.academic_year_start_clock || s.academic_year_start), 33) AS bigint) AS academic_year_start,
       cast(substr(max(s.academic_year_end_clock || s.academic_year_end), 33) AS bigint) AS academic_year_end,
       substr(max(s.contact_number_clock || s.contact_number), 33) AS contact_number,
       substr(max(s.contact_email_clock || s.contact_email), 33) AS contact_email,
       substr(max(s.notes_clock || s.notes), 33) AS notes,
       CASE WHEN max(s.dropped_clock) > max(s.activated_clock) THEN 'dropped'
            WHEN max(s.activated_clock) > '' OR max(s.registered_clock) > '' THEN 'active'
       END AS enrolment
FROM jodo_i_read_keys k
JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.pupil_key
GROUP BY k.tenant, k.read_key;
