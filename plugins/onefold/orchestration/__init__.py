"""What Airflow runs: operators, assets, pools, forms, approval, DAG pages, and what each task does."""
