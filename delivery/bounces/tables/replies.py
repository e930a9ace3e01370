"""How programs begin the subject of a vacation notice, in many languages (lower case)."""

from delivery.bounces.tables.row import phrases

SUBJECTS = phrases(
    """
    automatic reply | automatic response | automatic answer | automatic email | automated reply
    | automated response | automated answer | automatically generated | auto reply | auto-reply
    | autoreply | auto response | auto-response | autoresponse | auto responder | autoresponder
    | auto-responder | auto respond | autorespond | auto: | auto re: | [auto-reply]
    | (auto-reply) | auto acknowledgement | auto-acknowledge | out of office | out-of-office
    | out of the office | i'm out of | i am out of | currently out of | ooo | o.o.o | away from
    | i'm away | i am away | i will be away | on vacation | i'm on vacation | i am on vacation
    | vacation | on holiday | on leave | on annual leave | annual leave | on maternity leave
    | maternity leave | sick leave | parental leave | holiday notice | absence
    | thank you for your e-mail | thank you for your email | thank you for your message
    | thank you for contacting | thank you for your mail | automatische antwort
    | automatische beantwortung | automatische reactie | automatisches | autom. antwort
    | auto-antwort | autoantwort | abwesend | abwesenheit | ich bin nicht im | nicht im büro
    | außer haus | ausser haus | im urlaub | urlaub | réponse automatique | reponse automatique
    | réponse d'absence | message d'absence | message automatique | notification d'absence
    | absence du bureau | absent du bureau | absent(e) | je suis absent | en congé | en vacances
    | d'absence | respuesta automática | respuesta automatica | respuesta de fuera
    | mensaje automático | fuera de la oficina | fuera de oficina | estoy fuera | ausente
    | ausencia | de vacaciones | estoy de vacaciones | resposta automática | resposta automatica
    | mensagem automática | fora do escritório | fora de escritório | ausência | estou de férias
    | de férias | férias | risposta automatica | risposta automatico | messaggio automatico
    | fuori sede | fuori ufficio | assenza | assente | in ferie | sono in ferie
    | automatisch antwoord | automatisch bericht | afwezig | afwezigheid | niet aanwezig
    | ik ben afwezig | automatyczna odpowiedź | automatyczna odpowiedz | odpowiedź automatyczna
    | odpowiedz automatyczna | autoodpowiedź | autoodpowiedz | poza biurem | nieobecność
    | nieobecnosc | urlop | automatiskt svar | automatisk svar | autosvar | frånvaro | fravær
    | ikke til stede | automaattinen vastaus | poissa | poissaolo | automatická odpověď
    | automaticka odpoved | automatická odpoveď | nepřítomnost | mimo kancelář
    | automatikus válasz | házon kívül | otomatik yanıt | otomatik cevap | ofis dışında
    | răspuns automat | absent din birou | автоматический ответ | автоответ
    | автоматическое уведомление | нет на месте | в отпуске | вне офиса | отсутствую
    | автоматична відповідь | автоматичен отговор | αυτόματη απάντηση | εκτός γραφείου
    | מענה אוטומטי | תשובה אוטומטית | رد تلقائي | الرد التلقائي | automatski | samodejni odgovor
    | automaatvastus | automatinis atsakymas | automātiskā atbilde | 自動応答 | 自動返信
    | 自動送信 | 自動返答 | 【自動 | [自動 | (自動 | 不在 | 【不在 | 休暇 | 休業 | 自动回复
    | 自动答复 | 自动应答 | 自動回覆 | 自動答覆 | 自動回复 | 不在办公室 | 休假 | 外出 | 자동 응답
    | 자동응답 | 자동 회신 | 자동회신 | 자동 답장 | 부재중 | 부재 중
    """
)

WORDS = phrases(
    """
    out of the office | out of office | on vacation | away from my | on holiday until | on leave
    | on maternity leave | this is an automatic reply | this is an automated reply
    | this is an automatic response | this is an automated response | this is an auto
    | no longer with | no longer works | no longer employed | nicht im büro | nicht im hause
    | im urlaub | abwesend | je suis absent | en congé | fuera de la oficina | fuori ufficio
    | fora do escritório | afwezig | na urlopie | poza biurem | в отпуске | 不在 | 休暇 | 休假
    """
)
"""What such a notice says in its text."""

CHALLENGES = phrases(
    """
    please confirm | confirm your | confirm that you | verify your | verify that you
    | prove that you | approved senders | approved sender | guest list | challenge | spam arrest
    | spamarrest | boxbe | bluebottle | whitelist | unbekannter absender | unknown sender
    | protected by | allowed list | held for | awaits moderator | waiting for approval
    | waiting for confirmation | your message has been received | we have received your | ticket
    | case number
    """
)
"""What a program says that asks the sender to prove to be a person, or that merely thanks."""
