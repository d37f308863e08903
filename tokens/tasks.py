from celery import shared_task

from tokens import services


@shared_task
def delete_ended_secrets() -> int:
    return services.delete_ended_secrets()
