"""allauth's forms with our labels in sentence case, and without placeholders that repeat the label."""

from typing import Any

from allauth.account import forms

from orgs.forms import PASSWORD_HELP

LABELS = {
    "login": "E-mail address",
    "code": "Code",
    "email": "E-mail address",
    "oldpassword": "Current password",
    "password1": "New password",
    "password2": "New password again",
}


class OurLabels:
    fields: dict[str, Any]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)
            if name == "password1":
                field.help_text = PASSWORD_HELP
            elif name in ("password", "oldpassword"):
                # allauth links to a new password here. Our page has that link after the form, in the order of tabs.
                field.help_text = ""


class LoginForm(OurLabels, forms.LoginForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["login"].widget.attrs["autofocus"] = True


class ChangePasswordForm(OurLabels, forms.ChangePasswordForm): ...  # type: ignore[misc]


class SetPasswordForm(OurLabels, forms.SetPasswordForm): ...  # type: ignore[misc]


class ResetPasswordForm(OurLabels, forms.ResetPasswordForm): ...  # type: ignore[misc]


class ResetPasswordKeyForm(OurLabels, forms.ResetPasswordKeyForm): ...  # type: ignore[misc]


class ReauthenticateForm(OurLabels, forms.ReauthenticateForm): ...  # type: ignore[misc]


class ConfirmByCodeForm(OurLabels, forms.ConfirmReauthenticationCodeForm): ...  # type: ignore[misc]
