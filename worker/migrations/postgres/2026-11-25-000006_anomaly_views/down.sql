DROP VIEW jodo_anomalies;
