DROP VIEW jodo_anomalies;
DROP VIEW jodo_student_overview;
DROP VIEW jodo_manual_payments;
DROP VIEW jodo_students;
DROP VIEW jodo_pupil_keys;
